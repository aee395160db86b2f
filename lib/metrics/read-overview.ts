import type { TenantTx } from "@/lib/db/in-tenant";
import { defineRead } from "@/lib/db/verbs";
import { circuitsOf } from "@/lib/metrics/circuit-source";
import { type Figures, readFigures, readRolledUp } from "@/lib/metrics/figures";
import { type OverviewRange, type OverviewView, overviewInput, type ServerFigures } from "@/lib/metrics/schemas";
import { DAY_MS, floorTo, HOUR_MS, MINUTE_MS, resolutionFor } from "@/lib/metrics/segments";

/** Mostly between thirty and a hundred buckets, of a length people count in; no shorter than figures are kept. */
const WINDOWS: Readonly<Record<OverviewRange, { readonly rangeMs: number; readonly bucketMs: number }>> = {
  "15m": { rangeMs: 15 * MINUTE_MS, bucketMs: MINUTE_MS },
  "1h": { rangeMs: HOUR_MS, bucketMs: MINUTE_MS },
  "6h": { rangeMs: 6 * HOUR_MS, bucketMs: 5 * MINUTE_MS },
  "24h": { rangeMs: DAY_MS, bucketMs: 15 * MINUTE_MS },
  "7d": { rangeMs: 7 * DAY_MS, bucketMs: 2 * HOUR_MS },
  "30d": { rangeMs: 30 * DAY_MS, bucketMs: DAY_MS },
};

/** Servers that are drawn one by one: more lines cannot be told apart. */
const MAX_LINES = 5;

/**
 * What the calls of a tenant did, from stored figures, which are at most two seconds behind the trail. A denied call is not
 * a failure, and the error rate counts only calls that reached a server: what a circuit or a limit held back says nothing
 * about the server's health.
 */
export const readOverview = defineRead({
  permission: "metrics:read",
  input: overviewInput,
  run: async (tx, ctx, { range, server }): Promise<OverviewView> => {
    const { rangeMs, bucketMs } = WINDOWS[range];
    const now = Date.now();
    const window = { tenantId: ctx.tenantId, from: floorTo(now - rangeMs, bucketMs), to: now, bucketMs };
    const groups = await readGroups(tx, window, server ?? null);
    const slugs = await serverSlugs(tx, server ?? null);
    return {
      from: new Date(window.from).toISOString(),
      to: new Date(now).toISOString(),
      bucketMs,
      totals: toTotals(groups.total),
      servers: toServers(ctx.tenantId, groups.servers, slugs),
      series: toSeries(groups, window),
    };
  },
});

type Window = { readonly tenantId: string; readonly from: number; readonly to: number; readonly bucketMs: number };
type Groups = {
  readonly total: Figures | undefined;
  readonly servers: readonly Figures[];
  readonly points: readonly Figures[];
  readonly lines: readonly Figures[];
};

async function readGroups(tx: TenantTx, { bucketMs, ...window }: Window, only: string | null): Promise<Groups> {
  const rolled = await readRolledUp(tx, window.tenantId);
  const whole = only === null ? { ...window, level: "tenant" as const } : { ...ofServers(window), servers: [only] };
  const read = (query: Parameters<typeof readFigures>[2]) => readFigures(tx, rolled, query, coarsestOf(query.bucketMs));
  const [total] = await read(whole);
  const all = await read({ ...ofServers(window), by: ["server"], ...(only === null ? {} : { servers: [only] }) });
  const servers = all.filter(({ server }) => server !== "");
  const busiest = servers.slice(0, MAX_LINES).map(({ server }) => server);
  const points = await read({ ...whole, bucketMs });
  const lines = await read({ ...ofServers(window), by: ["server"], servers: busiest, bucketMs });
  return { total, servers, points, lines };
}

const ofServers = (window: Omit<Window, "bucketMs">) => ({ ...window, level: "server" as const });
const coarsestOf = (bucketMs: number | undefined) => (bucketMs === undefined ? "day" : resolutionFor(bucketMs));

/** Servers that can be called, so that one without traffic is shown as such. */
async function serverSlugs(tx: TenantTx, only: string | null): Promise<readonly string[]> {
  const where = only === null ? { status: "enabled" } : { status: "enabled", slug: only };
  const servers = await tx.server.findMany({ where, select: { slug: true }, orderBy: { slug: "asc" } });
  return servers.map(({ slug }) => slug);
}

const rate = ({ reached, reachedFailures }: Figures): number | null =>
  reached === 0 ? null : reachedFailures / reached;
const percentiles = (figures: Figures | undefined) => ({
  p50Ms: figures?.p50 ?? null,
  p95Ms: figures?.p95 ?? null,
  p99Ms: figures?.p99 ?? null,
});

function toTotals(figures: Figures | undefined): OverviewView["totals"] {
  if (figures === undefined) {
    const none = { calls: 0, allowed: 0, denied: 0, failures: 0, unknown: 0 };
    return { ...none, errorRate: null, ...percentiles(figures) };
  }
  const { calls, reached, unknown, denied, failures } = figures;
  return {
    calls,
    allowed: reached + unknown,
    denied,
    failures,
    unknown,
    errorRate: rate(figures),
    ...percentiles(figures),
  };
}

function toServers(tenantId: string, called: readonly Figures[], enabled: readonly string[]): readonly ServerFigures[] {
  const circuits = circuitsOf(tenantId);
  const byServer = new Map(called.map((figures) => [figures.server, figures]));
  const slugs = [...new Set([...enabled, ...byServer.keys()])].sort();
  return slugs.map((server) => {
    const figures = byServer.get(server);
    const { calls = 0, failures = 0, denied = 0 } = figures ?? {};
    const errorRate = figures === undefined ? null : rate(figures);
    const circuit = circuits.get(server)?.kind ?? "closed";
    return { server, calls, failures, denied, errorRate, ...percentiles(figures), circuit };
  });
}

type Point = OverviewView["series"][number];

function toSeries({ points, lines }: Groups, { from, to, bucketMs }: Window): readonly Point[] {
  const totals = new Map(points.map((figures) => [figures.bucket, figures]));
  const perServer = new Map<number, Figures[]>();
  for (const line of lines) perServer.set(line.bucket, [...(perServer.get(line.bucket) ?? []), line]);
  const series: Point[] = [];
  for (let at = from; at <= to; at += bucketMs) series.push(toPoint(at, totals.get(at), perServer.get(at) ?? []));
  return series;
}

function toPoint(at: number, total: Figures | undefined, servers: readonly Figures[]): Point {
  const { calls = 0, failures = 0, denied = 0 } = total ?? {};
  const byServer = Object.fromEntries(servers.map((line) => [line.server, { calls: line.calls, p95Ms: line.p95 }]));
  return { at: new Date(at).toISOString(), calls, failures, denied, ...percentiles(total), byServer };
}
