// biome-ignore-all lint/a11y/useSemanticElements: the rows are virtual and placed absolutely, which a table element cannot be
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid holds the focus and names its active cell
"use client";
import { Asterisk, Check, ChevronDown, ChevronRight, Lock, Minus } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/components/ui/cn";
import type { AccessMatrix } from "@/lib/access/schemas";
import { UNMAPPED_PERMISSION } from "@/lib/core/permission";
import type { GridPosition } from "./grid-keys";
import type { Cell, CellKind, MatrixRow, ServerRow, ToolRow } from "./matrix-cells";
import { COLUMN_PX, HEAD_PX } from "./use-matrix-grid";

type Role = AccessMatrix["roles"][number];
type Place = {
  readonly id: string;
  readonly at: GridPosition;
  readonly left: number;
  readonly width: number;
  readonly active: boolean;
};

const LOOK: Readonly<Record<CellKind, { word: string; glyph: ReactNode; className: string }>> = {
  direct: { word: "direct", glyph: <Check aria-hidden className="size-3.5" />, className: "text-ok" },
  wildcard: { word: "wildcard", glyph: <Asterisk aria-hidden className="size-3.5" />, className: "text-info" },
  none: { word: "none", glyph: <Minus aria-hidden className="size-3.5" />, className: "text-muted" },
};
const ring =
  "group-focus-visible/grid:outline-2 group-focus-visible/grid:-outline-offset-2 group-focus-visible/grid:outline-accent-text";

/** The roles, always in sight. */
export function MatrixHeadRow({
  roles,
  columns,
  firstPx,
}: {
  readonly roles: readonly Role[];
  readonly columns: readonly { readonly index: number; readonly start: number }[];
  readonly firstPx: number;
}) {
  return (
    <div
      role="row"
      aria-rowindex={1}
      className="sticky top-0 z-20 border-b border-line bg-surface"
      style={{ height: HEAD_PX }}
    >
      <div
        role="columnheader"
        aria-colindex={1}
        className="sticky left-0 z-10 flex h-full items-end border-r border-line bg-surface px-3 pb-1.5 text-xs text-muted"
        style={{ width: firstPx }}
      >
        Tool and what it needs
      </div>
      {columns.map(({ index, start }) => {
        const role = roles[index];
        return role ? (
          <MatrixHeadCell key={role.slug} role={role} index={index} left={firstPx + start} width={COLUMN_PX} />
        ) : null;
      })}
    </div>
  );
}

function MatrixHeadCell({ role, index, left, width }: { role: Role; index: number; left: number; width: number }) {
  const note = role.builtIn
    ? `${role.name} is a built-in role and the same in every tenant; create a custom role to differ.`
    : `${role.name} holds ${role.permissions.length === 0 ? "nothing yet" : role.permissions.join(", ")}.`;
  return (
    <div
      role="columnheader"
      aria-colindex={index + 2}
      title={note}
      className="absolute top-0 flex h-full flex-col justify-end px-2 pb-1.5 text-xs"
      style={{ left, width }}
    >
      <span className="truncate font-medium">{role.name}</span>
      <span className="flex items-center gap-1 truncate text-muted">
        {role.builtIn ? <Lock aria-hidden className="size-3 shrink-0" /> : null}
        {role.builtIn ? "built-in" : `${role.permissions.length} permissions`}
      </span>
    </div>
  );
}

export function MatrixRowHead(props: {
  readonly row: MatrixRow;
  readonly folded: boolean;
  readonly id: string;
  readonly index: number;
  readonly width: number;
  readonly active: boolean;
}) {
  const { row, folded } = props;
  const isServer = row.kind === "server";
  const Chevron = folded ? ChevronRight : ChevronDown;
  return (
    <div
      id={props.id}
      role="rowheader"
      tabIndex={-1}
      aria-colindex={1}
      {...(isServer ? { "aria-expanded": !folded } : {})}
      data-row-index={props.index}
      data-column={0}
      title={isServer ? row.name : row.key}
      className={cn(
        "sticky left-0 z-10 flex h-full items-center gap-2 border-r border-line px-3 text-sm",
        isServer ? "cursor-pointer bg-surface font-medium" : "bg-page pl-8 max-sm:pl-4",
        props.active && ring,
      )}
      style={{ width: props.width }}
    >
      {isServer ? (
        <>
          <Chevron aria-hidden className="size-3.5 shrink-0 text-muted" />
          <span className="truncate">{row.name}</span>
          <span className="ml-auto text-xs font-normal text-muted">{row.count}</span>
        </>
      ) : (
        <>
          <span className="min-w-0 shrink-[2] truncate">{row.tool}</span>
          <code
            className={cn(
              "ml-auto min-w-0 shrink truncate font-mono text-xs max-sm:hidden",
              row.permission === null ? "text-warn" : "text-muted",
              row.permission !== row.inForce && "underline decoration-dotted",
            )}
          >
            {row.permission ?? UNMAPPED_PERMISSION}
          </code>
        </>
      )}
    </div>
  );
}

export function MatrixTallyCell(props: Place & { role: Role; row: ServerRow; allowed: number; total: number }) {
  const { allowed, total, role, row } = props;
  const kind = allowed === 0 ? "none" : allowed === total ? "all" : "some";
  return (
    <div
      id={props.id}
      role="gridcell"
      tabIndex={-1}
      aria-colindex={props.at.column + 1}
      aria-label={`${role.name}, ${row.name}: ${allowed} of ${total}`}
      aria-readonly={role.builtIn}
      data-row-index={props.at.row}
      data-column={props.at.column}
      className={cn(
        "absolute top-0 flex h-full items-center gap-1.5 bg-surface px-2 text-xs tabular-nums",
        kind === "none" ? "text-muted" : "text-text",
        role.builtIn ? "cursor-default" : "cursor-pointer hover:bg-hover",
        props.active && ring,
      )}
      style={{ left: props.left, width: props.width }}
    >
      <span aria-hidden className="flex size-3.5 items-center justify-center">
        {kind === "all" ? "●" : kind === "some" ? "◐" : "○"}
      </span>
      {allowed} of {total}
    </div>
  );
}

export function MatrixToolCell(
  props: Place & { role: Role; row: ToolRow; cell: Cell; staged: boolean; lock: string | null },
) {
  const { cell, role, row, lock, staged } = props;
  const look = LOOK[cell.kind];
  return (
    <div
      id={props.id}
      role="gridcell"
      tabIndex={-1}
      aria-colindex={props.at.column + 1}
      aria-label={`${role.name}, ${row.key}: ${look.word}${staged ? ", staged" : ""}`}
      aria-readonly={lock !== null}
      data-row-index={props.at.row}
      data-column={props.at.column}
      title={lock ?? (cell.kind === "none" ? `Grant ${cell.needed}` : `Take ${cell.needed}`)}
      className={cn(
        "absolute top-0 flex h-full items-center gap-1.5 px-2 text-xs",
        look.className,
        lock === null ? "cursor-pointer hover:bg-hover" : "cursor-default",
        staged && "bg-accent-soft",
        props.active && ring,
      )}
      style={{ left: props.left, width: props.width }}
    >
      {look.glyph}
      {look.word}
      {staged ? <span className="ml-auto text-accent-text">staged</span> : null}
    </div>
  );
}
