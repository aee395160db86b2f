import "server-only";
import type { TenantTx } from "@/lib/db/in-tenant";
import { LEVEL, type Level } from "@/lib/metrics/call-cells";
import { SUMS } from "@/lib/metrics/roll-up-sql";
import { coverTime, type Resolution, type RolledUp, type Segment } from "@/lib/metrics/segments";

/** What is asked for: which figures, of what time, told apart how. */
export type FiguresQuery = {
  readonly tenantId: string;
  readonly level: Level;
  /** Epoch milliseconds, [from, to). */
  readonly from: number;
  readonly to: number;
  readonly by?: readonly ("server" | "tool" | "caller")[];
  /** Told apart by stretches of this length besides. */
  readonly bucketMs?: number;
  readonly servers?: readonly string[];
  readonly tool?: string;
  readonly caller?: string;
  /** The groups with the most calls; all of them unless told. */
  readonly limit?: number;
};

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
  readonly totalMs: number;
  readonly upstreamMs: number;
  readonly queueMs: number;
  readonly minMs: number | null;
  readonly maxMs: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
};

/** Up to where a tenant's figures were summed up. */
export async function readRolledUp(tx: TenantTx, tenantId: string): Promise<RolledUp> {
  const rows = await tx.$queryRawUnsafe<{ hours: number; days: number }[]>(
    `select (extract(epoch from hours_until) * 1000)::float8 as hours, (extract(epoch from days_until) * 1000)::float8 as days
      from call_rollups where tenant_id = $1::uuid`,
    tenantId,
  );
  return rows[0] ?? { hours: 0, days: 0 };
}

/** Reads figures from the coarsest tables that have them; the trail is not touched. */
export async function readFigures(
  tx: TenantTx,
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

/** How often calls ended with which code, told apart as the query says. */
export async function readErrors(tx: TenantTx, rolled: RolledUp, query: FiguresQuery): Promise<readonly CountedCode[]> {
  const segments = coverTime(query.from, query.to, rolled);
  if (segments.length === 0) return [];
  const { parts, values } = partsSql(query, segments);
  const { keys } = keysOf(query);
  return tx.$queryRawUnsafe<CountedCode[]>(
    `with parts as (${parts})
      select server, tool, caller, code, sum(n)::float8 as count
      from (select ${keys}, code, n from parts, unnest(error_codes, error_counts) as each(code, n)) as named
      group by server, tool, caller, code order by count desc, code, server, tool, caller limit 5000`,
    ...values,
  );
}

const CAMEL: Readonly<Record<string, string>> = {
  ...{ reached_failures: "reachedFailures", held_back: "heldBack", cache_hits: "cacheHits", total_ms: "totalMs" },
  ...{ upstream_ms: "upstreamMs", queue_ms: "queueMs", min_ms: "minMs", max_ms: "maxMs" },
};
const OUT = SUMS.map(([name]) => `s.${name}::float8 as "${CAMEL[name] ?? name}"`).join(", ");
const GROUP = "bucket, server, tool, caller";

/** Groups get a number first: to sort and add up hundreds of thousands of buckets by text takes several times as long. */
function figuresSql(query: FiguresQuery, segments: readonly Segment[]) {
  const { parts, values } = partsSql(query, segments);
  const { keys } = keysOf(query);
  const most = query.limit === undefined ? "" : `order by calls desc, ${GROUP} limit ${Math.trunc(query.limit)}`;
  // With a limit most rows are only counted, and their buckets are better left where they are.
  const kept = query.limit === undefined ? "materialized" : "not materialized";
  const text = `with named as ${kept} (
      select ${keys}, caller_name, ${SUMS.map(([name]) => name).join(", ")}, buckets, counts from (${parts}) as parts
    ), s as materialized (
      select row_number() over () as g, * from (
        select ${GROUP}, max(caller_name) as caller_name, ${SUMS.map(([name, sum]) => `${sum} as ${name}`).join(", ")}
        from named group by ${GROUP} ${most}) as groups
    ), durations as (
      select s.g, b, sum(n::float8) as n
      from named join s using (${GROUP}), unnest(named.buckets, named.counts) as each(b, n) group by s.g, b
    ), ranked as (
      select g, b, sum(n) over (partition by g order by b) as upto, sum(n) over (partition by g) as total from durations
    ), p as (
      select g, ${[0.5, 0.95, 0.99].map(percentileSql).join(", ")} from ranked group by g
    )
    select (extract(epoch from s.bucket) * 1000)::float8 as bucket, s.server, s.tool, s.caller, s.caller_name as "callerName",
      ${OUT}, ${["p50", "p95", "p99"].map(withinRange).join(", ")}
    from s left join p using (g) order by s.calls desc, ${GROUP}`;
  return { text, values };
}

/** Nearest rank: the lowest bucket below or in which that share of all durations lies. */
const percentileSql = (p: number): string =>
  `call_bucket_ms(min(b) filter (where upto >= ceil(${p} * total))::int) as p${p * 100}`;

/** The middle of a bucket may lie outside of what was measured; the answer does not. */
const withinRange = (name: string): string => `least(greatest(p.${name}, s.min_ms), s.max_ms) as ${name}`;

/** The columns a group is told apart by; the others are blank. */
function keysOf({ by = [], bucketMs }: FiguresQuery): { readonly keys: string } {
  const columns = (["server", "tool", "caller"] as const).map((name) => (by.includes(name) ? name : `'' as ${name}`));
  const bucket =
    bucketMs === undefined
      ? "timestamptz 'epoch' as bucket"
      : `date_bin('${Math.trunc(bucketMs)} milliseconds', at, timestamptz 'epoch') as bucket`;
  return { keys: [bucket, ...columns].join(", ") };
}

const TABLES: Readonly<Record<Resolution, string>> = { minute: "call_minutes", hour: "call_hours", day: "call_days" };

/** The rows themselves, out of as many tables as the time is spread over. */
function partsSql(query: FiguresQuery, segments: readonly Segment[]) {
  const values: unknown[] = [query.tenantId];
  const given = (value: unknown): string => `$${values.push(value)}`;
  const narrow = [
    // So by definition; said, it leads to the rows of these servers instead of all of that time.
    query.level === "server" && query.servers !== undefined ? "and tool = ''" : "",
    query.servers === undefined ? "" : `and server = any(${given([...query.servers])}::text[])`,
    query.tool === undefined ? "" : `and tool = ${given(query.tool)}::text`,
    query.caller === undefined ? "" : `and caller = ${given(query.caller)}::text`,
  ].join(" ");
  const parts = segments.map(({ resolution, from, to }) => {
    const times = [from, to].map((time) => `${given(new Date(time).toISOString())}::timestamptz`);
    return `select * from ${TABLES[resolution]} where tenant_id = $1::uuid and level = ${LEVEL[query.level]}
      and at >= ${times[0]} and at < ${times[1]} ${narrow}`;
  });
  return { parts: parts.join(" union all "), values };
}
