// biome-ignore-all lint/a11y/useSemanticElements: the rows are virtual and placed absolutely, which a table element cannot be
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid holds the focus and names its active cell
"use client";
import { cn } from "@/components/ui/cn";
import type { AccessMatrix } from "@/lib/access/schemas";
import type { AccessDraft } from "./access-draft";
import type { GridPosition } from "./grid-keys";
import { MatrixRowHead, MatrixTallyCell, MatrixToolCell } from "./matrix-cell-view";
import { cellOf, lockReason, type MatrixRow, type ToolRow, tally } from "./matrix-cells";
import { COLUMN_PX } from "./use-matrix-grid";

type Role = AccessMatrix["roles"][number];
export type MatrixRowViewProps = {
  readonly matrix: AccessMatrix;
  readonly draft: AccessDraft;
  readonly row: MatrixRow;
  readonly index: number;
  readonly box: { readonly top: number; readonly height: number; readonly width: number };
  readonly firstPx: number;
  readonly columns: readonly { readonly index: number; readonly start: number }[];
  readonly roles: readonly Role[];
  readonly holdings: readonly ReadonlySet<string>[];
  readonly active: GridPosition;
  readonly folded: boolean;
  readonly canEdit: boolean;
  readonly cellId: (at: GridPosition) => string;
};

/** A server with its tallies, or a tool with its cells; only the columns in sight. */
export function MatrixRowView(props: MatrixRowViewProps) {
  const { matrix, draft, row, index, active } = props;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={cn("absolute left-0 min-w-full border-b border-line", row.kind === "server" && "bg-surface")}
      style={{ ...props.box }}
    >
      <MatrixRowHead
        row={row}
        folded={props.folded}
        id={props.cellId({ row: index, column: 0 })}
        index={index}
        width={props.firstPx}
        active={active.row === index && active.column === 0}
      />
      {props.columns.map((column) => {
        const role = props.roles[column.index];
        const held = props.holdings[column.index];
        if (role === undefined || held === undefined) return null;
        const at = { row: index, column: column.index + 1 };
        const place = {
          id: props.cellId(at),
          at,
          left: props.firstPx + column.start,
          width: COLUMN_PX,
          active: active.row === at.row && active.column === at.column,
          role,
        };
        if (row.kind === "server")
          return <MatrixTallyCell key={role.slug} {...place} row={row} {...tally(matrix, draft, row.server, held)} />;
        const cell = cellOf(held, row.permission);
        return (
          <MatrixToolCell
            key={role.slug}
            {...place}
            row={row}
            cell={cell}
            staged={isStaged(role, held, row)}
            lock={props.canEdit ? lockReason(role, row, cell) : "Changing access needs the permission access:write."}
          />
        );
      })}
    </div>
  );
}

const isStaged = (role: Role, held: ReadonlySet<string>, row: ToolRow): boolean =>
  cellOf(new Set(role.permissions), row.inForce).kind !== cellOf(held, row.permission).kind;
