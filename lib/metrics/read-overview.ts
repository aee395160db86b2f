import type { TenantTx } from "@/lib/db/in-tenant";
import { defineRead } from "@/lib/db/verbs";
import { circuitsOf } from "@/lib/metrics/circuit-source";
import { type OverviewRange, type OverviewView, overviewInput, type ServerFigures } from "@/lib/metrics/schemas";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Between thirty and a hundred buckets, of a length people count in. */
const WINDOWS: Readonly<Record<OverviewRange, { readonly rangeMs: number; readonly bucketMs: number }>> = {
  "15m": { rangeMs: 15 * MINUTE_MS, bucketMs: 30_000 },
  "1h": { rangeMs: HOUR_MS, bucketMs: MINUTE_MS },
  "6h": { rangeMs: 6 * HOUR_MS, bucketMs: 5 * MINUTE_MS },
  "24h": { rangeMs: DAY_MS, bucketMs: 15 * MINUTE_MS },
  "7d": { rangeMs: 7 * DAY_MS, bucketMs: 2 * HOUR_MS },
  "30d": { rangeMs: 30 * DAY_MS, bucketMs: 8 * HOUR_MS },
};

/** One group of calls. `bucket` and `server` are null in the rows that sum over them. */
type Group = {
  readonly bucket: number | null;
  readonly server: string | null;
  readonly over_buckets: boolean;
  readonly over_servers: boolean;
  readonly calls: number;
  readonly denied: number;
  readonly failures: number;
  readonly unknown: number;
  readonly allowed: number;
  readonly reached: number;
  readonly reached_failures: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
};

/**
 * What the calls of a tenant did, from the trail itself. A denied call is not a failure, and the error rate counts
 * only calls that reached a server: what a circuit or a limit held back says nothing about the server's health.
 */
export const readOverview = defineRead({
  permission: "metrics:read",
  input: overviewInput,
  run: async (tx, ctx, { range, server }): Promise<OverviewView> => {
    const { rangeMs, bucketMs } = WINDOWS[range];
    const now = Date.now();
    const from = Math.floor((now - rangeMs) / bucketMs) * bucketMs;
    const groups = await readGroups(tx, ctx.tenantId, { from, to: now, bucketMs, server: server ?? null });
    const slugs = await serverSlugs(tx, server ?? null);
    return {
      from: new Date(from).toISOString(),
      to: new Date(now).toISOString(),
      bucketMs,
      totals: toTotals(groups.find((group) => group.over_buckets && group.over_servers)),
      servers: toServers(ctx.tenantId, groups, slugs),
      series: toSeries(groups, from, now, bucketMs),
    };
  },
});

type Window = { readonly from: number; readonly to: number; readonly bucketMs: number; readonly server: string | null };

const GROUPS = `with calls as (
    select floor(extract(epoch from ts) * 1000 / $4::float8) * $4::float8 as bucket, server, outcome, latency_ms,
      event_type = 'tool_call.finished' as ran, event_type = 'tool_call.lost' as lost,
      outcome = 'failure' and coalesce(reason_code, '') <> 'cancelled' as failed
    from audit_entries
    where tenant_id = $1::uuid and ts >= $2::timestamptz and ts <= $3::timestamptz and phase = 'outcome'
      and starts_with(event_type, 'tool_call.') and ($5::text is null or server = $5::text)
  )
  select bucket::float8 as bucket, server, grouping(bucket) = 1 as over_buckets, grouping(server) = 1 as over_servers,
    count(*)::float8 as calls,
    count(*) filter (where outcome = 'denied')::float8 as denied,
    count(*) filter (where failed)::float8 as failures,
    count(*) filter (where outcome = 'unknown')::float8 as unknown,
    count(*) filter (where ran or lost)::float8 as allowed,
    count(*) filter (where ran)::float8 as reached,
    count(*) filter (where ran and failed)::float8 as reached_failures,
    percentile_cont(0.50) within group (order by latency_ms) filter (where ran) as p50,
    percentile_cont(0.95) within group (order by latency_ms) filter (where ran) as p95,
    percentile_cont(0.99) within group (order by latency_ms) filter (where ran) as p99
  from calls group by grouping sets ((bucket, server), (bucket), (server), ())`;

async function readGroups(tx: TenantTx, tenantId: string, window: Window): Promise<readonly Group[]> {
  const { from, to, bucketMs, server } = window;
  const times = [new Date(from).toISOString(), new Date(to).toISOString()];
  return tx.$queryRawUnsafe<Group[]>(GROUPS, tenantId, ...times, String(bucketMs), server);
}

/** Servers that can be called, so that one without traffic is shown as such. */
async function serverSlugs(tx: TenantTx, only: string | null): Promise<readonly string[]> {
  const where = only === null ? { status: "enabled" } : { status: "enabled", slug: only };
  const servers = await tx.server.findMany({ where, select: { slug: true }, orderBy: { slug: "asc" } });
  return servers.map(({ slug }) => slug);
}

const rate = (group: Group): number | null => (group.reached === 0 ? null : group.reached_failures / group.reached);

function toTotals(group: Group | undefined): OverviewView["totals"] {
  if (group === undefined) {
    return {
      calls: 0,
      allowed: 0,
      denied: 0,
      failures: 0,
      unknown: 0,
      errorRate: null,
      p50Ms: null,
      p95Ms: null,
      p99Ms: null,
    };
  }
  const { calls, allowed, denied, failures, unknown } = group;
  return { calls, allowed, denied, failures, unknown, errorRate: rate(group), ...percentiles(group) };
}

const percentiles = ({ p50, p95, p99 }: Group) => ({ p50Ms: p50, p95Ms: p95, p99Ms: p99 });

function toServers(tenantId: string, groups: readonly Group[], enabled: readonly string[]): readonly ServerFigures[] {
  const circuits = circuitsOf(tenantId);
  const called = groups.filter((group) => group.over_buckets && !group.over_servers && group.server !== null);
  const byServer = new Map(called.map((group) => [String(group.server), group]));
  const slugs = [...new Set([...enabled, ...byServer.keys()])].sort();
  return slugs.map((server) => {
    const group = byServer.get(server);
    return {
      server,
      calls: group?.calls ?? 0,
      failures: group?.failures ?? 0,
      denied: group?.denied ?? 0,
      errorRate: group === undefined ? null : rate(group),
      p50Ms: group?.p50 ?? null,
      p95Ms: group?.p95 ?? null,
      p99Ms: group?.p99 ?? null,
      circuit: circuits.get(server)?.kind ?? "closed",
    };
  });
}

type Point = OverviewView["series"][number];

function toSeries(groups: readonly Group[], from: number, to: number, bucketMs: number): readonly Point[] {
  const totals = new Map<number, Group>();
  const perServer = new Map<number, Group[]>();
  for (const group of groups) {
    if (group.over_buckets || group.bucket === null) continue;
    if (group.over_servers) totals.set(group.bucket, group);
    else if (group.server !== null) perServer.set(group.bucket, [...(perServer.get(group.bucket) ?? []), group]);
  }
  const points: Point[] = [];
  for (let at = from; at <= to; at += bucketMs) points.push(toPoint(at, totals.get(at), perServer.get(at) ?? []));
  return points;
}

function toPoint(at: number, total: Group | undefined, servers: readonly Group[]): Point {
  const byServer = servers.map((group) => [String(group.server), { calls: group.calls, p95Ms: group.p95 }] as const);
  return {
    at: new Date(at).toISOString(),
    calls: total?.calls ?? 0,
    failures: total?.failures ?? 0,
    denied: total?.denied ?? 0,
    p50Ms: total?.p50 ?? null,
    p95Ms: total?.p95 ?? null,
    p99Ms: total?.p99 ?? null,
    byServer: Object.fromEntries(byServer),
  };
}
