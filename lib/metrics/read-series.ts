import type { TenantTx } from "@/lib/db/in-tenant";
import { defineRead } from "@/lib/db/verbs";
import { type Figures, type FiguresQuery, readFigures, readRolledUp } from "@/lib/metrics/figures";
import { toNumbers } from "@/lib/metrics/numbers";
import { type SeriesPoint, type SeriesView, seriesInput } from "@/lib/metrics/schemas";
import { MINUTE_MS, resolutionFor } from "@/lib/metrics/segments";
import { type BucketedWindow, bucketedWindow, bucketsOf, readRecordedFrom, stateOf } from "@/lib/metrics/window";

/** What calls did over time: of the tenant, one of its servers, one of its tools or one caller. */
export const readSeries = defineRead({
  permission: "metrics:read",
  input: seriesInput,
  run: async (tx, ctx, { server, tool, caller, bucketMinutes, ...asked }): Promise<SeriesView> => {
    const window = bucketedWindow(asked, bucketMinutes === undefined ? undefined : bucketMinutes * MINUTE_MS);
    const found = await readPoints(tx, {
      ...{ tenantId: ctx.tenantId, level: levelOf(server, tool, caller), ...window },
      ...(server === undefined ? {} : { servers: [server] }),
      ...(tool === undefined ? {} : { tool }),
      ...(caller === undefined ? {} : { caller }),
    });
    const recordedFrom = await readRecordedFrom(tx, ctx.tenantId);
    return {
      ...{ from: new Date(window.from).toISOString(), to: new Date(window.to).toISOString() },
      bucketMs: window.bucketMs,
      recordedFrom: recordedFrom === null ? null : new Date(recordedFrom).toISOString(),
      points: toPoints(found, window, recordedFrom),
    };
  },
});

function levelOf(server?: string, tool?: string, caller?: string): FiguresQuery["level"] {
  if (caller !== undefined) return "caller";
  if (tool !== undefined) return "tool";
  return server === undefined ? "tenant" : "server";
}

async function readPoints(tx: TenantTx, query: FiguresQuery & BucketedWindow): Promise<readonly Figures[]> {
  return readFigures(tx, await readRolledUp(tx, query.tenantId), query, resolutionFor(query.bucketMs));
}

function toPoints(
  found: readonly Figures[],
  window: BucketedWindow,
  recordedFrom: number | null,
): readonly SeriesPoint[] {
  const byBucket = new Map(found.map((figures) => [figures.bucket, figures]));
  const known = { bucketMs: window.bucketMs, recordedFrom, now: Date.now() };
  return bucketsOf(window).map((at) => {
    const figures = byBucket.get(at) ?? NOTHING;
    return { at: new Date(at).toISOString(), state: stateOf(at, figures.calls, known), ...toNumbers(figures) };
  });
}

const NOTHING: Figures = {
  ...{ bucket: 0, server: "", tool: "", caller: "", callerName: "" },
  ...{ calls: 0, successes: 0, failures: 0, denied: 0, cancelled: 0, unknown: 0, reached: 0, reachedFailures: 0 },
  ...{ heldBack: 0, unavailable: 0, cacheHits: 0, queued: 0, overloaded: 0, limited: 0 },
  ...{ totalMs: 0, upstreamMs: 0, queueMs: 0, policyMs: 0, auditMs: 0, outcomeMs: 0 },
  ...{ minMs: null, maxMs: null, p50: null, p95: null, p99: null },
};
