import type { PermissionMapView } from "@/lib/access/schemas";
import { UNMAPPED_PERMISSION } from "@/lib/core/permission";
import { type AccessDraft, draftedPermission, stageMapping, toolKey } from "./access-draft";
import type { MatrixFilter } from "./matrix-cells";

export type MapRow = PermissionMapView["tools"][number] & { readonly key: string; readonly drafted: string | null };

/** The map as a list, with the draft applied, as far as the filter lets it through. */
export function mapRows(map: PermissionMapView, draft: AccessDraft, filter: MatrixFilter): MapRow[] {
  const text = filter.text.trim().toLowerCase();
  return map.tools
    .map((tool): MapRow => {
      const key = toolKey(tool.server, tool.tool);
      return { ...tool, key, drafted: draftedPermission(draft, key, tool.permission) };
    })
    .filter((row) => filter.server === "" || row.server === filter.server)
    .filter((row) => {
      if (filter.only === "unmapped") return row.drafted === null;
      if (filter.only === "destructive") return row.destructive;
      return filter.only !== "changed" || row.drafted !== row.permission;
    })
    .filter(
      (row) =>
        text === "" ||
        `${row.key} ${row.drafted ?? UNMAPPED_PERMISSION} ${row.description}`.toLowerCase().includes(text),
    );
}

/** Stages one permission, or each tool's own suggestion, for several tools. */
export function stageRows(
  draft: AccessDraft,
  rows: readonly MapRow[],
  permission: string | null | "suggested",
): AccessDraft {
  return rows.reduce(
    (next, row) =>
      stageMapping(next, row.key, row.permission, permission === "suggested" ? row.suggestedPermission : permission),
    draft,
  );
}
