import "server-only";
import type { TenantTx } from "@/lib/db/in-tenant";
import type { RawTx } from "@/lib/db/sql";
import { callersSql, errorsSql, type FiguresQuery, figuresSql, type Place } from "@/lib/metrics/figures-sql";
import { coverTime, type Resolution, type RolledUp } from "@/lib/metrics/segments";

export type { FiguresQuery } from "@/lib/metrics/figures-sql";

/** Sums and percentiles of one group. Durations in milliseconds, of calls that went on to the server. */
export type Figures = {
  /** Epoch milliseconds; 0 where nothing was told apart by time. */
  readonly bucket: number;
  readonly server: string;
  readonly tool: string;
  readonly caller: string;
  readonly callerName: string;
  readonly calls: number;
  readonly successes: number;
  readonly failures: number;
  readonly denied: number;
  readonly cancelled: number;
  readonly unknown: number;
  readonly reached: number;
  readonly reachedFailures: number;
  readonly heldBack: number;
  readonly unavailable: number;
  readonly cacheHits: number;
  readonly queued: number;
  readonly overloaded: number;
  readonly limited: number;
  readonly totalMs: number;
  readonly upstreamMs: number;
  readonly queueMs: number;
  readonly policyMs: number;
  readonly auditMs: number;
  readonly outcomeMs: number;
  readonly minMs: number | null;
  readonly maxMs: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
};

/**
 * Up to where a tenant's figures were summed up. Besides, tells the planner of this transaction what it cannot know: the
 * arrays are longer than it thinks, so it would sort them on disk, and compile for longer than the query takes.
 */
export async function readRolledUp(tx: TenantTx, tenantId: string): Promise<RolledUp> {
  const rows = await tx.$queryRawUnsafe<{ hours: number; days: number }[]>(
    `select (extract(epoch from hours_until) * 1000)::float8 as hours, (extract(epoch from days_until) * 1000)::float8 as days
      from (select set_config('jit', 'off', true), set_config('work_mem', '48MB', true)) as told
      left join call_rollups on tenant_id = $1::uuid`,
    tenantId,
  );
  const [row] = rows;
  return { hours: row?.hours ?? 0, days: row?.days ?? 0 };
}

/** Reads figures from the coarsest tables that have them; the trail is not touched. */
export async function readFigures(
  tx: RawTx,
  rolled: RolledUp,
  query: FiguresQuery,
  coarsest: Resolution = "day",
): Promise<readonly Figures[]> {
  const segments = coverTime(query.from, query.to, rolled, coarsest);
  if (segments.length === 0) return [];
  const { text, values } = figuresSql(query, segments);
  return tx.$queryRawUnsafe<Figures[]>(text, ...values);
}

export type CountedCode = {
  readonly server: string;
  readonly tool: string;
  readonly caller: string;
  readonly code: string;
  readonly count: number;
};

/** How often calls ended with which code, told apart as the query says; of these tools only, where they are given. */
export async function readErrors(
  tx: TenantTx,
  rolled: RolledUp,
  query: FiguresQuery,
  among?: readonly Place[],
): Promise<readonly CountedCode[]> {
  const segments = coverTime(query.from, query.to, rolled);
  if (segments.length === 0) return [];
  const { text, values } = errorsSql(query, segments, among);
  return tx.$queryRawUnsafe<CountedCode[]>(text, ...values);
}

/** A call that took longer has hit its caller: the seed default of what is slow. */
export const SLOW_MS = 5_000;

export type CallersHit = {
  /** Blank for all servers together. */
  readonly server: string;
  readonly callers: number;
  readonly callersHit: number;
};

/** How many callers each server had, and to how many of them something happened; and over all servers. */
export async function readCallersHit(
  tx: RawTx,
  rolled: RolledUp,
  query: Pick<FiguresQuery, "tenantId" | "from" | "to" | "servers">,
  slowMs = SLOW_MS,
): Promise<readonly CallersHit[]> {
  const segments = coverTime(query.from, query.to, rolled);
  if (segments.length === 0) return [];
  const { text, values } = callersSql({ ...query, level: "caller" }, segments, slowMs);
  return tx.$queryRawUnsafe<CallersHit[]>(text, ...values);
}
