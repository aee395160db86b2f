import { newId } from "@/lib/core/ids";
import { bucketOf, type Histogram } from "@/lib/metrics/histogram";

/** What one outcome entry of the trail says about a call. Durations in milliseconds. */
export type FinishedCall = {
  readonly tenantId: string;
  /** As it stands in the entry: ISO 8601, UTC, so that figures and trail agree about the minute. */
  readonly ts: string;
  /** Empty where the call named none. */
  readonly server: string;
  readonly tool: string;
  readonly caller: string;
  readonly callerName: string;
  /** Whether it went on to the server (or to a kept answer), was refused before, or nobody knows. */
  readonly fate: "finished" | "refused" | "lost";
  readonly outcome: "success" | "failure" | "denied" | "unknown" | "cancelled";
  readonly code: string | null;
  readonly durationMs: number;
  readonly upstreamMs: number;
  /** Waiting for a place at the server. */
  readonly queueMs: number;
  readonly fromCache: boolean;
};

/** What figures are kept of: a tenant, one of its servers, a tool of a server, a caller of a server. */
export const LEVEL = { tenant: 0, server: 1, tool: 2, caller: 3 } as const;
export type Level = keyof typeof LEVEL;

/** One minute of one of them, as far as this process saw it. */
export type Cell = {
  readonly id: string;
  readonly tenantId: string;
  readonly level: Level;
  /** `2026-11-20T13:44` */
  readonly minute: string;
  readonly server: string;
  readonly tool: string;
  readonly caller: string;
  readonly callerName: string;
  calls: number;
  successes: number;
  failures: number;
  denied: number;
  cancelled: number;
  unknown: number;
  reached: number;
  reachedFailures: number;
  heldBack: number;
  unavailable: number;
  cacheHits: number;
  totalMs: number;
  upstreamMs: number;
  queueMs: number;
  minMs: number;
  maxMs: number;
  readonly buckets: Histogram;
  readonly errors: Map<string, number>;
  dirty: boolean;
};

/** What stands for names that were left out. No server, tool or caller can be called so. */
export const OTHERS = "(others)";

/** The server was not there for the call, whatever the call asked for. */
const UNAVAILABLE: ReadonlySet<string> = new Set(["upstream_unreachable", "upstream_timeout", "upstream_protocol"]);
/** The call was not sent because the server is known to be ill or full. */
const HELD_BACK: ReadonlySet<string> = new Set(["circuit_open", "overloaded"]);

export type CellLimits = {
  /** Combinations of server, tool and caller that are told apart in a minute. */
  readonly maxPaths: number;
  /** Names in refused calls, which anybody can make up, that a tenant has told apart in an hour. */
  readonly maxInventedNames: number;
};
const LIMITS: CellLimits = { maxPaths: 10_000, maxInventedNames: 500 };

type Path = readonly Cell[];

/**
 * Figures of the running minute and of minutes not yet stored. A cell holds the whole minute as this process saw it, and is
 * stored whole under its own id: storing it twice changes nothing. Past a limit a call is still counted for its tenant, under
 * the name `(others)`.
 */
export function makeCallCells(limits: CellLimits = LIMITS) {
  let paths = new Map<string, Path>();
  let cells = new Map<string, Cell>();
  const invented = new Map<string, Set<string>>();
  let inventedHour = "";
  let folded = 0;

  function add(call: FinishedCall): void {
    const minute = call.ts.slice(0, 16);
    const named = call.fate === "refused" ? withKnownNames(call, minute) : call;
    const key = `${minute}|${named.tenantId}|${named.caller}|${named.server}|${named.tool}`;
    const path = paths.get(key) ?? makePath(key, minute, named);
    const bucket = call.fate === "finished" ? bucketOf(call.durationMs) : null;
    for (const cell of path) count(cell, call, bucket);
  }

  function withKnownNames(call: FinishedCall, minute: string): FinishedCall {
    const hour = minute.slice(0, 13);
    if (hour !== inventedHour) {
      inventedHour = hour;
      invented.clear();
    }
    const names = invented.get(call.tenantId) ?? new Set<string>();
    invented.set(call.tenantId, names);
    const name = `${call.server}|${call.tool}`;
    if (names.has(name)) return call;
    if (names.size < limits.maxInventedNames) {
      names.add(name);
      return call;
    }
    folded += 1;
    return { ...call, server: OTHERS, tool: OTHERS };
  }

  function makePath(key: string, minute: string, call: FinishedCall): Path {
    // Minutes that the database does not take wait here, and must not fill the memory.
    if (paths.size >= limits.maxPaths || cells.size >= 4 * limits.maxPaths) {
      folded += 1;
      return foldedPath(minute, call);
    }
    const { server, tool, caller } = call;
    const path = [cellOf("tenant", minute, { ...call, server: "", tool: "", caller: "", callerName: "" })];
    if (server !== "") path.push(cellOf("server", minute, { ...call, tool: "", caller: "", callerName: "" }));
    if (tool !== "") path.push(cellOf("tool", minute, { ...call, caller: "", callerName: "" }));
    if (caller !== "") path.push(cellOf("caller", minute, { ...call, tool: "" }));
    paths.set(key, path);
    return path;
  }

  /** The tenant's own cell, and one for everything that has no name any more. */
  function foldedPath(minute: string, call: FinishedCall): Path {
    const nobody = { ...call, server: "", tool: "", caller: "", callerName: "" };
    return [cellOf("tenant", minute, nobody), cellOf("server", minute, { ...nobody, server: OTHERS })];
  }

  function cellOf(level: Level, minute: string, call: FinishedCall): Cell {
    const { tenantId, server, tool, caller, callerName } = call;
    const key = `${minute}|${tenantId}|${level}|${caller}|${server}|${tool}`;
    const found = cells.get(key);
    if (found !== undefined) return found;
    const made = emptyCell({ id: newId(), tenantId, level, minute, server, tool, caller, callerName });
    cells.set(key, made);
    return made;
  }

  /** Lets go of minutes before this one that are stored; a late call of such a minute starts a cell of its own. */
  function forget(before: string): void {
    cells = new Map([...cells].filter(([, cell]) => cell.dirty || cell.minute >= before));
    paths = new Map([...paths].filter(([key]) => key.slice(0, 16) >= before));
  }

  return {
    add,
    forget,
    dirty: (): readonly Cell[] => [...cells.values()].filter(({ dirty }) => dirty),
    figures: () => ({ cells: cells.size, folded }),
  };
}

export type CallCells = ReturnType<typeof makeCallCells>;

type Name = Pick<Cell, "id" | "tenantId" | "level" | "minute" | "server" | "tool" | "caller" | "callerName">;

const emptyCell = (name: Name): Cell => ({
  ...name,
  ...{ calls: 0, successes: 0, failures: 0, denied: 0, cancelled: 0, unknown: 0, reached: 0, reachedFailures: 0 },
  ...{ heldBack: 0, unavailable: 0, cacheHits: 0, totalMs: 0, upstreamMs: 0, queueMs: 0 },
  ...{ minMs: Number.POSITIVE_INFINITY, maxMs: 0, buckets: new Map(), errors: new Map(), dirty: true },
});

function count(cell: Cell, call: FinishedCall, bucket: number | null): void {
  const { outcome, code } = call;
  cell.dirty = true;
  cell.calls += 1;
  if (outcome === "success") cell.successes += 1;
  else if (outcome === "failure") cell.failures += 1;
  else if (outcome === "denied") cell.denied += 1;
  else if (outcome === "cancelled") cell.cancelled += 1;
  else cell.unknown += 1;
  if (code !== null && outcome !== "success") cell.errors.set(code, (cell.errors.get(code) ?? 0) + 1);
  if (bucket !== null) countReached(cell, call, bucket);
  else if (code !== null && HELD_BACK.has(code)) cell.heldBack += 1;
}

function countReached(cell: Cell, call: FinishedCall, bucket: number): void {
  const { durationMs } = call;
  cell.reached += 1;
  if (call.outcome === "failure") cell.reachedFailures += 1;
  if (call.code !== null && UNAVAILABLE.has(call.code)) cell.unavailable += 1;
  if (call.fromCache) cell.cacheHits += 1;
  cell.totalMs += durationMs;
  cell.upstreamMs += call.upstreamMs;
  cell.queueMs += call.queueMs;
  if (durationMs < cell.minMs) cell.minMs = durationMs;
  if (durationMs > cell.maxMs) cell.maxMs = durationMs;
  cell.buckets.set(bucket, (cell.buckets.get(bucket) ?? 0) + 1);
}
