import type { PermissionMapView } from "@/lib/access/schemas";
import { toolKey } from "./access-draft";
import type { MapDiff } from "./draft-diff";

/** What differs between two versions of the map, by tool; null means unmapped. */
export function versionDiff(before: PermissionMapView, after: PermissionMapView): MapDiff[] {
  const were = new Map(before.tools.map(({ server, tool, permission }) => [toolKey(server, tool), permission]));
  return after.tools.flatMap(({ server, tool, permission }) => {
    const key = toolKey(server, tool);
    const was = were.get(key) ?? null;
    return was === permission ? [] : [{ key, before: was, after: permission }];
  });
}

/** Mappings of a version whose tools are not known any more, as after a server was retired: nothing shows them. */
export const unknownMappings = (map: PermissionMapView, stored: number): number =>
  Math.max(0, stored - map.tools.filter(({ permission }) => permission !== null).length);
