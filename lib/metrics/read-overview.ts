import type { TenantTx } from "@/lib/db/in-tenant";
import { defineRead } from "@/lib/db/verbs";
import { circuitsOf } from "@/lib/metrics/circuit-source";
import { type CallersHit, type Figures, readCallersHit, readFigures, readRolledUp } from "@/lib/metrics/figures";
import { availabilityOf, errorRateOf } from "@/lib/metrics/numbers";
import { type OverviewView, overviewInput, type ServerFigures } from "@/lib/metrics/schemas";
import { resolutionFor } from "@/lib/metrics/segments";
import { type BucketedWindow, bucketedWindow, bucketsOf, readRecordedFrom, stateOf } from "@/lib/metrics/window";

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
  run: async (tx, ctx, { server, ...asked }): Promise<OverviewView> => {
    const window = { tenantId: ctx.tenantId, ...bucketedWindow(asked) };
    const groups = await readGroups(tx, window, server ?? null);
    const slugs = await serverSlugs(tx, server ?? null);
    const recordedFrom = await readRecordedFrom(tx, ctx.tenantId);
    return {
      from: new Date(window.from).toISOString(),
      to: new Date(window.to).toISOString(),
      bucketMs: window.bucketMs,
      totals: toTotals(groups.total, groups.hit.get(server ?? "")),
      servers: toServers(ctx.tenantId, groups, slugs),
      series: toSeries(groups, window, recordedFrom),
    };
  },
});

type Window = BucketedWindow & { readonly tenantId: string };
type Groups = {
  readonly total: Figures | undefined;
  readonly servers: readonly Figures[];
  readonly points: readonly Figures[];
  readonly lines: readonly Figures[];
  /** By server; blank for all of them. */
  readonly hit: ReadonlyMap<string, CallersHit>;
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
  const counted = await readCallersHit(tx, rolled, only === null ? window : { ...window, servers: [only] });
  const hit = new Map(counted.map((each) => [each.server, each]));
  return { total, servers, points, lines, hit };
}

const ofServers = (window: Omit<Window, "bucketMs">) => ({ ...window, level: "server" as const });
const coarsestOf = (bucketMs: number | undefined) => (bucketMs === undefined ? "day" : resolutionFor(bucketMs));

/** Servers that can be called, so that one without traffic is shown as such. */
async function serverSlugs(tx: TenantTx, only: string | null): Promise<readonly string[]> {
  const where = only === null ? { status: "enabled" } : { status: "enabled", slug: only };
  const servers = await tx.server.findMany({ where, select: { slug: true }, orderBy: { slug: "asc" } });
  return servers.map(({ slug }) => slug);
}

const percentiles = (figures: Figures | undefined) => ({
  p50Ms: figures?.p50 ?? null,
  p95Ms: figures?.p95 ?? null,
  p99Ms: figures?.p99 ?? null,
});

/** Nulls where nothing was called. */
const rates = (figures: Figures | undefined) => ({
  errorRate: figures === undefined ? null : errorRateOf(figures),
  availability: figures === undefined ? null : availabilityOf(figures),
});

function toTotals(figures: Figures | undefined, hit: CallersHit | undefined): OverviewView["totals"] {
  const told = { ...rates(figures), ...percentiles(figures), callersHit: hit?.callersHit ?? 0 };
  if (figures === undefined) return { calls: 0, allowed: 0, denied: 0, failures: 0, unknown: 0, ...told };
  const { calls, reached, unknown, denied, failures } = figures;
  return { calls, allowed: reached + unknown, denied, failures, unknown, ...told };
}

function toServers(
  tenantId: string,
  { servers: called, hit }: Groups,
  enabled: readonly string[],
): readonly ServerFigures[] {
  const circuits = circuitsOf(tenantId);
  const byServer = new Map(called.map((figures) => [figures.server, figures]));
  const slugs = [...new Set([...enabled, ...byServer.keys()])].sort();
  return slugs.map((server) => {
    const figures = byServer.get(server);
    const { calls = 0, failures = 0, denied = 0 } = figures ?? {};
    const { errorRate } = rates(figures);
    const { callersHit = 0 } = hit.get(server) ?? {};
    const circuit = circuits.get(server)?.kind ?? "closed";
    return { server, calls, failures, denied, errorRate, ...percentiles(figures), circuit, callersHit };
  });
}

type Point = OverviewView["series"][number];

function toSeries({ points, lines }: Groups, window: Window, recordedFrom: number | null): readonly Point[] {
  const totals = new Map(points.map((figures) => [figures.bucket, figures]));
  const perServer = new Map<number, Figures[]>();
  for (const line of lines) perServer.set(line.bucket, [...(perServer.get(line.bucket) ?? []), line]);
  const known = { bucketMs: window.bucketMs, recordedFrom, now: Date.now() };
  return bucketsOf(window).map((at) => {
    const total = totals.get(at);
    const { calls = 0, failures = 0, denied = 0 } = total ?? {};
    const state = stateOf(at, calls, known);
    const figures = { calls, failures, denied, ...rates(total), ...percentiles(total) };
    return { at: new Date(at).toISOString(), state, ...figures, byServer: toLines(perServer.get(at) ?? []) };
  });
}

const toLines = (servers: readonly Figures[]): Point["byServer"] =>
  Object.fromEntries(servers.map((line) => [line.server, { calls: line.calls, p95Ms: line.p95 }]));
