"use client";
import { useMemo, useState } from "react";
import { formatCount } from "@/components/ui/format";
import type { PermissionMapView } from "@/lib/access/schemas";
import { type AccessDraft, draftedPermission, stageMapping, toolKey } from "./access-draft";
import { AccessFilterBar } from "./access-filter-bar";
import { knownPermissions } from "./console-permissions";
import { MapBulkBar } from "./map-bulk-bar";
import { MapList } from "./map-list";
import { mapRows, stageRows } from "./map-rows";
import { NoTools } from "./no-tools";
import { PermissionList } from "./permission-input";
import { useAccessFilter } from "./use-access-filter";

const LIST = "known-permissions";

export type MapTabProps = {
  readonly tenant: string;
  readonly map: PermissionMapView;
  readonly draft: AccessDraft;
  readonly onDraft: (draft: AccessDraft) => void;
  readonly canEdit: boolean;
};

/** Which permission each tool needs. */
export function MapTab({ tenant, map, draft, onDraft, canEdit }: MapTabProps) {
  const filterState = useAccessFilter();
  const [filter, setFilter] = filterState;
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(
    () => mapRows(map, draft, { text: filter.q, server: filter.server, only: filter.only }),
    [map, draft, filter],
  );
  const servers = [...new Set(map.tools.map((tool) => tool.server))].map((slug) => ({ slug, name: slug }));
  const unmapped = map.tools.filter(
    (tool) => draftedPermission(draft, toolKey(tool.server, tool.tool), tool.permission) === null,
  ).length;
  const select = (keys: readonly string[], on: boolean) => {
    const rest = [...selected].filter((key) => !keys.includes(key));
    setSelected(new Set(on ? [...rest, ...keys] : rest));
  };
  const chosen = rows.filter((row) => selected.has(row.key));
  const bulk = (permission: string | null | "suggested") => {
    onDraft(stageRows(draft, chosen, permission));
    setSelected(new Set());
  };

  return (
    <div className="flex flex-col gap-3">
      <PermissionList id={LIST} permissions={knownPermissions(map.tools.map((tool) => tool.permission))} />
      <AccessFilterBar filter={filterState} servers={servers}>
        <p className="ml-auto text-sm text-muted">
          {formatCount(rows.length)} of {formatCount(map.tools.length)} tools, {formatCount(unmapped)} unmapped
        </p>
      </AccessFilterBar>
      <MapBulkBar count={chosen.length} list={LIST} onApply={bulk} onClear={() => setSelected(new Set())} />
      {rows.length === 0 ? (
        <NoTools tenant={tenant} hasTools={map.tools.length > 0} onClear={() => setFilter(null)} />
      ) : (
        <MapList
          rows={rows}
          list={LIST}
          canEdit={canEdit}
          selected={selected}
          onSelect={select}
          onChange={(row, permission) => onDraft(stageMapping(draft, row.key, row.permission, permission))}
        />
      )}
    </div>
  );
}
