import type { AccessMatrix } from "@/lib/access/schemas";
import { UNMAPPED_PERMISSION } from "@/lib/core/permission";
import { type AccessDraft, draftedHoldings, draftedPermission, stageGrant, toolKey } from "./access-draft";

export type CellKind = "direct" | "wildcard" | "none";
/** What a role may do with a tool, and by which of its permissions. */
export type Cell = { readonly kind: CellKind; readonly needed: string; readonly via: string | null };

/** The matrix' cell: the same answer as `covers()`, saying by what. */
export function cellOf(held: ReadonlySet<string>, permission: string | null): Cell {
  const needed = permission ?? UNMAPPED_PERMISSION;
  const isWildcard = needed.endsWith(":*");
  if (held.has(needed)) return { kind: isWildcard ? "wildcard" : "direct", needed, via: needed };
  const namespace = `${needed.slice(0, needed.indexOf(":"))}:*`;
  if (held.has(namespace)) return { kind: "wildcard", needed, via: namespace };
  if (!namespace.startsWith("platform:") && held.has(UNMAPPED_PERMISSION))
    return { kind: "wildcard", needed, via: UNMAPPED_PERMISSION };
  return { kind: "none", needed, via: null };
}

export type ServerRow = {
  readonly kind: "server";
  readonly server: string;
  readonly name: string;
  readonly count: number;
};
export type ToolRow = {
  readonly kind: "tool";
  readonly server: string;
  readonly tool: string;
  readonly key: string;
  readonly permission: string | null;
  readonly inForce: string | null;
  readonly readOnly: boolean;
  readonly destructive: boolean;
};
export type MatrixRow = ServerRow | ToolRow;

export type MatrixFilter = {
  readonly text: string;
  readonly server: string;
  readonly only: "all" | "unmapped" | "destructive" | "changed";
};
export const NO_FILTER: MatrixFilter = { text: "", server: "", only: "all" };

function passes(row: ToolRow, filter: MatrixFilter): boolean {
  if (filter.server && row.server !== filter.server) return false;
  if (filter.only === "unmapped" && row.permission !== null) return false;
  if (filter.only === "destructive" && !row.destructive) return false;
  if (filter.only === "changed" && row.permission === row.inForce) return false;
  const text = filter.text.trim().toLowerCase();
  if (!text) return true;
  return `${row.server}/${row.tool} ${row.permission ?? UNMAPPED_PERMISSION}`.toLowerCase().includes(text);
}

/** One flat list for the virtualiser: a row per server followed by its tools, unless folded. */
export function matrixRows(
  matrix: AccessMatrix,
  draft: AccessDraft,
  filter: MatrixFilter,
  folded: ReadonlySet<string>,
): MatrixRow[] {
  return matrix.servers.flatMap((server): MatrixRow[] => {
    const tools = server.tools
      .map((tool): ToolRow => {
        const key = toolKey(server.slug, tool.name);
        return {
          kind: "tool",
          server: server.slug,
          tool: tool.name,
          key,
          permission: draftedPermission(draft, key, tool.permission),
          inForce: tool.permission,
          readOnly: tool.readOnly,
          destructive: tool.destructive,
        };
      })
      .filter((row) => passes(row, filter));
    if (tools.length === 0) return [];
    const head: ServerRow = { kind: "server", server: server.slug, name: server.name, count: tools.length };
    return folded.has(server.slug) ? [head] : [head, ...tools];
  });
}

/** How many of a server's tools a role may call: the group row's tri-state. */
export function tally(
  matrix: AccessMatrix,
  draft: AccessDraft,
  server: string,
  held: ReadonlySet<string>,
): { allowed: number; total: number } {
  const tools = matrix.servers.find((s) => s.slug === server)?.tools ?? [];
  const allowed = tools.filter(
    (tool) => cellOf(held, draftedPermission(draft, toolKey(server, tool.name), tool.permission)).kind !== "none",
  ).length;
  return { allowed, total: tools.length };
}

/** Why a cell cannot be toggled, as a sentence; null when it can. */
export function lockReason(role: { builtIn: boolean; name: string }, row: ToolRow, cell: Cell): string | null {
  if (role.builtIn)
    return `${role.name} is a built-in role and the same in every tenant. Create a custom role to differ.`;
  if (row.permission === null) return "This tool is unmapped, so it needs admin:*. Map it first, on the Map tab.";
  if (cell.kind === "wildcard" && cell.via !== cell.needed)
    return `Allowed by ${cell.via}. Take that wildcard from the role to decide tool by tool.`;
  return null;
}

type MatrixRole = AccessMatrix["roles"][number];

/** Flips cells of one role together: grants what is missing if anything is, else takes it all. Locked cells stay. */
export function toggleCells(
  matrix: AccessMatrix,
  draft: AccessDraft,
  role: MatrixRole,
  rows: readonly MatrixRow[],
): AccessDraft {
  const folded = rows.filter((row) => row.kind === "server").map((row) => row.server);
  const ofServers = matrixRows(matrix, draft, NO_FILTER, new Set()).filter(
    (row) => row.kind === "tool" && rows.length === 1 && folded.includes(row.server),
  );
  const held = draftedHoldings(draft, role);
  const open = [...rows, ...ofServers]
    .filter((row) => row.kind === "tool")
    .map((row) => ({ row, cell: cellOf(held, row.permission) }))
    .filter(({ row, cell }) => lockReason(role, row, cell) === null);
  const grant = open.some(({ cell }) => cell.kind === "none");
  const needed = new Set(open.filter(({ cell }) => (cell.kind === "none") === grant).map(({ cell }) => cell.needed));
  return [...needed].reduce((next, permission) => stageGrant(next, role, permission, grant), draft);
}
