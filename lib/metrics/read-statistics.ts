import type { TenantTx } from "@/lib/db/in-tenant";
import { defineRead } from "@/lib/db/verbs";
import { env } from "@/lib/env";
import type { Level } from "@/lib/metrics/call-cells";
import {
  type CountedCode,
  type Figures,
  type FiguresQuery,
  readErrors,
  readFigures,
  readRolledUp,
} from "@/lib/metrics/figures";
import {
  type SeriesPoint,
  type SeriesView,
  type StatisticsRow,
  type StatisticsView,
  seriesInput,
  statisticsInput,
} from "@/lib/metrics/schemas";
import { alignStart, floorTo, HOUR_MS, MINUTE_MS, resolutionFor } from "@/lib/metrics/segments";

const BY: Readonly<Record<Level, FiguresQuery["by"]>> = {
  tenant: [],
  server: ["server"],
  tool: ["server", "tool"],
  caller: ["caller"],
};

/** What calls did in any window, told apart by server, tool or caller; from stored figures, never from the trail. */
export const readStatistics = defineRead({
  permission: "metrics:read",
  input: statisticsInput,
  run: async (tx, ctx, { by, server, tool, caller, limit, ...window }): Promise<StatisticsView> => {
    const { from, to } = windowOf(window.from, window.to);
    const query: FiguresQuery = {
      ...{ tenantId: ctx.tenantId, level: by, from, to, limit, by: BY[by] ?? [] },
      ...(server === undefined ? {} : { servers: [server] }),
      ...(tool === undefined ? {} : { tool }),
      ...(caller === undefined ? {} : { caller }),
    };
    const rolled = await readRolledUp(tx, ctx.tenantId);
    const groups = await readFigures(tx, rolled, query);
    const errors = groups.length === 0 ? [] : await readErrors(tx, rolled, query);
    const offers = by === "tool" ? await readOffers(tx, groups) : null;
    return {
      ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString(), by },
      rows: groups.map((figures) => ({
        ...toRow(figures, errors),
        ...(offers === null ? {} : { offeredBy: offers.get(figures.tool) ?? [] }),
      })),
    };
  },
});

/** The same over time, of the tenant, one of its servers or one of its tools. */
export const readSeries = defineRead({
  permission: "metrics:read",
  input: seriesInput,
  run: async (tx, ctx, { server, tool, bucketMinutes, ...window }): Promise<SeriesView> => {
    const bucketMs = bucketMinutes * MINUTE_MS;
    const asked = windowOf(window.from, window.to);
    const [from, to] = [floorTo(asked.from, bucketMs), asked.to];
    const level = tool !== undefined ? "tool" : server !== undefined ? "server" : "tenant";
    const query: FiguresQuery = {
      ...{ tenantId: ctx.tenantId, level, from, to, bucketMs },
      ...(server === undefined ? {} : { servers: [server] }),
      ...(tool === undefined ? {} : { tool }),
    };
    const found = await readFigures(tx, await readRolledUp(tx, ctx.tenantId), query, resolutionFor(bucketMs));
    const points = [...found].sort((left, right) => left.bucket - right.bucket).map(toPoint);
    return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), bucketMs, points };
  },
});

function windowOf(from: number | undefined, to: number | undefined): { readonly from: number; readonly to: number } {
  const now = Date.now();
  const end = to ?? now;
  const { METRICS_MINUTE_DAYS: minuteDays, METRICS_HOUR_DAYS: hourDays } = env();
  return { from: alignStart(from ?? end - HOUR_MS, now, { minuteDays, hourDays }), to: end };
}

/** Which enabled servers offer tools of these names. */
async function readOffers(tx: TenantTx, groups: readonly Figures[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const names = [...new Set(groups.map(({ tool }) => tool))];
  const tools = await tx.serverTool.findMany({
    where: { name: { in: names }, server: { status: "enabled" } },
    select: { name: true, server: { select: { slug: true } } },
    orderBy: { server: { slug: "asc" } },
  });
  const offers = new Map<string, string[]>();
  for (const { name, server } of tools) offers.set(name, [...(offers.get(name) ?? []), server.slug]);
  return offers;
}

function toRow(figures: Figures, errors: readonly CountedCode[]): StatisticsRow {
  const { server, tool, caller, callerName } = figures;
  const own = errors.filter((each) => each.server === server && each.tool === tool && each.caller === caller);
  return {
    ...{ server, tool, caller, callerName },
    ...toNumbers(figures),
    errors: own.map(({ code, count }) => ({ code, count })),
  };
}

const toPoint = (figures: Figures): SeriesPoint => ({
  at: new Date(figures.bucket).toISOString(),
  ...toNumbers(figures),
});

function toNumbers(figures: Figures): Omit<SeriesPoint, "at"> {
  const { reached, reachedFailures, heldBack, unavailable, totalMs, upstreamMs, queueMs } = figures;
  const { successes, failures, denied, cancelled, unknown, minMs, maxMs, cacheHits } = figures;
  const mean = (sum: number): number | null => (reached === 0 ? null : sum / reached);
  const wanted = reached + heldBack;
  return {
    ...{ requests: figures.calls, successes, failures, denied, cancelled, unknown, samples: reached },
    errorRate: mean(reachedFailures),
    availability: wanted === 0 ? null : 1 - (unavailable + heldBack) / wanted,
    ...{ meanMs: mean(totalMs), minMs, maxMs, p50Ms: figures.p50, p95Ms: figures.p95, p99Ms: figures.p99 },
    ...{ upstreamMeanMs: mean(upstreamMs), queueMeanMs: mean(queueMs) },
    ...{ gatewayMeanMs: mean(Math.max(0, totalMs - upstreamMs - queueMs)), cacheHits },
  };
}
