import { newId } from "@/lib/core/ids";
import { addDuration, type Histogram } from "@/lib/metrics/histogram";

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
  /** Finding out who calls and whether they may. */
  readonly policyMs: number;
  /** Waiting until the intent was durable. */
  readonly auditMs: number;
  /** Waiting until the outcome was durable; not part of the duration. */
  readonly outcomeMs: number;
  readonly fromCache: boolean;
};

/** What figures are kept of: a tenant, one of its servers, a tool of a server, a caller of a server. */
export const LEVEL = { tenant: 0, server: 1, tool: 2, caller: 3 } as const;
export type Level = keyof typeof LEVEL;

type Counts = {
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
  queued: number;
  overloaded: number;
  limited: number;
  totalMs: number;
  upstreamMs: number;
  queueMs: number;
  policyMs: number;
  auditMs: number;
  outcomeMs: number;
  minMs: number;
  maxMs: number;
  readonly buckets: Histogram;
  readonly errors: Map<string, number>;
};

/** One minute of one of them, as far as this process saw it. */
export type Cell = Counts & {
  readonly id: string;
  readonly tenantId: string;
  readonly level: Level;
  /** `2026-11-20T13:44` */
  readonly minute: string;
  readonly server: string;
  readonly tool: string;
  readonly caller: string;
  readonly callerName: string;
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

/** What came since the figures were last put together, and the cells it belongs to. */
type Path = { readonly minute: string; readonly cells: readonly Cell[]; fresh: Counts };

/**
 * Figures of the running minute and of minutes not yet stored. A call is counted once, with all that has the same server,
 * tool and caller; it is added to its cells when they are about to be stored. A cell holds the whole minute as this process
 * saw it, and is stored whole under its own id: storing it twice changes nothing. Past a limit a call is still counted for
 * its tenant, under the name `(others)`.
 */
export function makeCallCells(limits: CellLimits = LIMITS) {
  let paths = new Map<string, Path>();
  let cells = new Map<string, Cell>();
  const names = makeNames(limits.maxInventedNames);
  let folded = 0;

  function add(call: FinishedCall): void {
    const minute = call.ts.slice(0, 16);
    const named =
      call.fate !== "refused" || names.isKnown(call, minute) ? call : { ...call, server: OTHERS, tool: OTHERS };
    if (named !== call) folded += 1;
    const key = `${minute}|${named.tenantId}|${named.caller}|${named.server}|${named.tool}`;
    count((paths.get(key) ?? makePath(key, minute, named)).fresh, call);
  }

  function makePath(key: string, minute: string, call: FinishedCall): Path {
    // Minutes that the database does not take wait here, and must not fill the memory.
    const isFull = paths.size >= limits.maxPaths || cells.size >= 4 * limits.maxPaths;
    if (isFull) folded += 1;
    const place = isFull ? `${minute}|${call.tenantId}` : key;
    const found = paths.get(place);
    if (found !== undefined) return found;
    const path = { minute, cells: isFull ? foldedCells(minute, call) : ownCells(minute, call), fresh: noCounts() };
    paths.set(place, path);
    return path;
  }

  function ownCells(minute: string, call: FinishedCall): readonly Cell[] {
    const { server, tool, caller } = call;
    const own = [cellOf("tenant", minute, { ...call, ...NOBODY })];
    if (server !== "") own.push(cellOf("server", minute, { ...call, ...NOBODY, server }));
    if (tool !== "") own.push(cellOf("tool", minute, { ...call, ...NOBODY, server, tool }));
    if (caller !== "") own.push(cellOf("caller", minute, { ...call, tool: "" }));
    return own;
  }

  /** The tenant's own cell, and one for everything that has no name any more. */
  const foldedCells = (minute: string, call: FinishedCall): readonly Cell[] => [
    cellOf("tenant", minute, { ...call, ...NOBODY }),
    cellOf("server", minute, { ...call, ...NOBODY, server: OTHERS }),
  ];

  function cellOf(level: Level, minute: string, call: FinishedCall): Cell {
    const { tenantId, server, tool, caller, callerName } = call;
    const key = `${minute}|${tenantId}|${level}|${caller}|${server}|${tool}`;
    const found = cells.get(key);
    if (found !== undefined) return found;
    const made: Cell = {
      ...{ id: newId(), tenantId, level, minute, server, tool, caller, callerName },
      ...{ ...noCounts(), dirty: false },
    };
    cells.set(key, made);
    return made;
  }

  /** Cells that are not stored as they are now. Puts the figures together first. */
  function dirty(): readonly Cell[] {
    for (const path of paths.values()) {
      if (path.fresh.calls === 0) continue;
      for (const cell of path.cells) merge(cell, path.fresh);
      path.fresh = noCounts();
    }
    return [...cells.values()].filter((cell) => cell.dirty);
  }

  /** Lets go of minutes before this one that are stored; a late call of such a minute starts a cell of its own. */
  function forget(before: string): void {
    paths = new Map([...paths].filter(([, { minute, fresh }]) => fresh.calls > 0 || minute >= before));
    const used = new Set([...paths.values()].flatMap((path) => path.cells));
    cells = new Map([...cells].filter(([, cell]) => cell.dirty || used.has(cell)));
  }

  return { add, dirty, forget, figures: () => ({ cells: cells.size, folded }) };
}

/** The names in refused calls of this hour, which anybody can make up; so many of a tenant and no more. */
function makeNames(max: number) {
  const byTenant = new Map<string, Set<string>>();
  let hour = "";
  return {
    isKnown({ tenantId, server, tool }: FinishedCall, minute: string): boolean {
      if (minute.slice(0, 13) !== hour) {
        hour = minute.slice(0, 13);
        byTenant.clear();
      }
      const names = byTenant.get(tenantId) ?? new Set<string>();
      byTenant.set(tenantId, names);
      if (names.size < max) names.add(`${server}|${tool}`);
      return names.has(`${server}|${tool}`);
    },
  };
}

const NOBODY = { server: "", tool: "", caller: "", callerName: "" } as const;

const noCounts = (): Counts => ({
  ...{ calls: 0, successes: 0, failures: 0, denied: 0, cancelled: 0, unknown: 0, reached: 0, reachedFailures: 0 },
  ...{ heldBack: 0, unavailable: 0, cacheHits: 0, queued: 0, overloaded: 0, limited: 0 },
  ...{ totalMs: 0, upstreamMs: 0, queueMs: 0, policyMs: 0, auditMs: 0, outcomeMs: 0 },
  ...{ minMs: Number.POSITIVE_INFINITY, maxMs: 0, buckets: new Map(), errors: new Map() },
});

function count(into: Counts, call: FinishedCall): void {
  const { outcome, code, fate } = call;
  into.calls += 1;
  if (outcome === "success") into.successes += 1;
  else if (outcome === "failure") into.failures += 1;
  else if (outcome === "denied") into.denied += 1;
  else if (outcome === "cancelled") into.cancelled += 1;
  else into.unknown += 1;
  if (fate === "finished") countReached(into, call);
  else if (code !== null) countRefused(into, code);
  if (code !== null && outcome !== "success") into.errors.set(code, (into.errors.get(code) ?? 0) + 1);
}

function countRefused(into: Counts, code: string): void {
  if (HELD_BACK.has(code)) into.heldBack += 1;
  if (code === "overloaded") into.overloaded += 1;
  else if (code === "rate_limited") into.limited += 1;
}

function countReached(into: Counts, call: FinishedCall): void {
  const { durationMs } = call;
  into.reached += 1;
  if (call.outcome === "failure") into.reachedFailures += 1;
  if (call.code !== null && UNAVAILABLE.has(call.code)) into.unavailable += 1;
  if (call.fromCache) into.cacheHits += 1;
  into.totalMs += durationMs;
  into.upstreamMs += call.upstreamMs;
  into.queueMs += call.queueMs;
  if (call.queueMs > 0) into.queued += 1;
  into.policyMs += call.policyMs;
  into.auditMs += call.auditMs;
  into.outcomeMs += call.outcomeMs;
  if (durationMs < into.minMs) into.minMs = durationMs;
  if (durationMs > into.maxMs) into.maxMs = durationMs;
  addDuration(into.buckets, durationMs);
}

const ADDED = [
  ...(["calls", "successes", "failures", "denied", "cancelled", "unknown", "reached", "reachedFailures"] as const),
  ...(["heldBack", "unavailable", "cacheHits", "queued", "overloaded", "limited"] as const),
  ...(["totalMs", "upstreamMs", "queueMs", "policyMs", "auditMs", "outcomeMs"] as const),
];

function merge(cell: Cell, fresh: Counts): void {
  cell.dirty = true;
  for (const name of ADDED) cell[name] += fresh[name];
  cell.minMs = Math.min(cell.minMs, fresh.minMs);
  cell.maxMs = Math.max(cell.maxMs, fresh.maxMs);
  for (const [bucket, n] of fresh.buckets) cell.buckets.set(bucket, (cell.buckets.get(bucket) ?? 0) + n);
  for (const [code, n] of fresh.errors) cell.errors.set(code, (cell.errors.get(code) ?? 0) + n);
}
