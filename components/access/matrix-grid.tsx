// biome-ignore-all lint/a11y/useSemanticElements: the rows are virtual and placed absolutely, which a table element cannot be
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid holds the focus and names its active cell
"use client";
import { useMemo } from "react";
import type { AccessMatrix } from "@/lib/access/schemas";
import { type AccessDraft, draftedHoldings } from "./access-draft";
import type { GridPosition } from "./grid-keys";
import { MatrixHeadRow } from "./matrix-cell-view";
import { cellOf, lockReason, type MatrixRow } from "./matrix-cells";
import { MatrixRowView } from "./matrix-row-view";
import { HEAD_PX, ROW_PX, useMatrixGrid } from "./use-matrix-grid";

type Role = AccessMatrix["roles"][number];
export type MatrixGridProps = {
  readonly matrix: AccessMatrix;
  readonly rows: readonly MatrixRow[];
  readonly roles: readonly Role[];
  readonly draft: AccessDraft;
  readonly canEdit: boolean;
  readonly narrow: boolean;
  readonly folded: ReadonlySet<string>;
  readonly onFold: (server: string) => void;
  readonly onToggle: (role: Role, rows: readonly MatrixRow[]) => void;
};
const FIRST_PX = { wide: 320, narrow: 168 } as const;

/** Roles × tools as an ARIA grid: the focus stays on the grid and names its active cell, so rows may come and go. */
export function MatrixGrid(props: MatrixGridProps) {
  const { matrix, rows, roles, draft } = props;
  const firstPx = props.narrow ? FIRST_PX.narrow : FIRST_PX.wide;
  const holdings = useMemo(() => roles.map((role) => draftedHoldings(draft, role)), [roles, draft]);
  const act = (at: GridPosition, from: GridPosition | null) => {
    const row = rows[at.row];
    const role = roles[at.column - 1];
    if (row !== undefined && role !== undefined) {
      const ends = [at.row, from?.row ?? at.row];
      props.onToggle(role, rows.slice(Math.min(...ends), Math.max(...ends) + 1));
    } else if (row?.kind === "server") props.onFold(row.server);
  };
  const { scroller, active, ...grid } = useMatrixGrid(rows.length, roles.length, firstPx, act);
  const columns = grid.columns.getVirtualItems();
  const totalPx = firstPx + grid.columns.getTotalSize();

  return (
    <div className="flex flex-col gap-2">
      <div
        ref={scroller}
        role="grid"
        aria-label="Roles and tools"
        aria-rowcount={rows.length + 1}
        aria-colcount={roles.length + 1}
        aria-activedescendant={grid.cellId(active)}
        tabIndex={0}
        onKeyDown={grid.onKeyDown}
        onClick={grid.onClick}
        className="group/grid relative max-h-[max(320px,calc(100dvh-400px))] overflow-auto rounded-md border border-line focus-visible:-outline-offset-2"
      >
        <div
          role="presentation"
          className="relative min-w-full"
          style={{ width: totalPx, height: HEAD_PX + grid.rows.getTotalSize() }}
        >
          <MatrixHeadRow roles={roles} columns={columns} firstPx={firstPx} />
          {grid.rows.getVirtualItems().map(({ index, start }) => {
            const row = rows[index];
            return row ? (
              <MatrixRowView
                key={row.kind === "server" ? row.server : row.key}
                matrix={matrix}
                draft={draft}
                row={row}
                index={index}
                box={{ top: HEAD_PX + start, height: ROW_PX, width: totalPx }}
                firstPx={firstPx}
                columns={columns}
                roles={roles}
                holdings={holdings}
                active={active}
                folded={row.kind === "server" && props.folded.has(row.server)}
                canEdit={props.canEdit}
                cellId={grid.cellId}
              />
            ) : null;
          })}
        </div>
      </div>
      <p aria-live="polite" className="min-h-5 text-xs text-muted">
        {sentenceOf(rows[active.row], roles[active.column - 1], holdings[active.column - 1], props.canEdit)}
      </p>
    </div>
  );
}

/** What the active cell means, in words: also the help for those who do not hover. */
function sentenceOf(
  row: MatrixRow | undefined,
  role: Role | undefined,
  held: ReadonlySet<string> | undefined,
  canEdit: boolean,
): string {
  if (row === undefined) return "";
  if (role === undefined || held === undefined)
    return row.kind === "server"
      ? `${row.name}: ${row.count} tools. Enter folds them.`
      : `${row.key} needs ${row.permission ?? "admin:* (unmapped)"}.`;
  if (row.kind === "server")
    return `${role.name} on ${row.name}.${canEdit && !role.builtIn ? " Enter turns the whole server on or off." : ""}`;
  const cell = cellOf(held, row.permission);
  const says = {
    direct: `allowed by ${cell.needed}`,
    wildcard: `allowed by the wildcard ${cell.via}`,
    none: `denied, lacks ${cell.needed}`,
  }[cell.kind];
  const change = canEdit ? "Enter or a click changes it; shift-click changes a range." : "";
  const next = lockReason(role, row, cell) ?? change;
  return `${role.name} on ${row.key}: ${says}. ${next}`;
}
