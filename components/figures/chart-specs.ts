import { CHART } from "@/components/charts/palette";
import type { ChartPoint, Series } from "@/components/charts/series";
import type { Threshold } from "@/components/charts/threshold";
import type { TrailQuestion } from "@/components/figures/trail-links";
import { formatCount, formatDuration, formatShare } from "@/components/ui/format";
import type { SeriesPoint, SeriesView } from "@/lib/metrics/schemas";

type Values = ChartPoint["values"];

/** One chart of the figures: what it draws of a bucket, and where a bucket leads. */
export type ChartSpec = {
  readonly key: string;
  readonly title: string;
  readonly unit: (bucket: string) => string;
  readonly kind: "bars" | "lines";
  readonly series: readonly Series[];
  readonly values: (point: SeriesPoint) => Values;
  /** Measurements behind the values: all calls, or those that went on to the server. */
  readonly of: "requests" | "samples";
  readonly format: (value: number | null) => string;
  readonly valueUnit?: string;
  readonly threshold?: Threshold;
  readonly domain?: (points: readonly ChartPoint[]) => readonly [number | "auto", number | "auto"];
  readonly decimals?: boolean;
  /** Null where a series leads nowhere of its own. */
  readonly leads: (key: string | null) => TrailQuestion | null;
};

const count = (value: number | null): string => formatCount(value ?? 0);
const toAll = (key: string | null): TrailQuestion | null => (key === null ? {} : null);
const toFailures = (key: string | null): TrailQuestion | null => (key === null ? { outcome: "failure" } : null);

/** Where a layer leads. A call that its caller gave up is a failure to the trail, with its own code. */
const LAYERS: Readonly<Record<string, TrailQuestion>> = {
  succeeded: { outcome: "success" },
  failed: { outcome: "failure" },
  denied: { outcome: "denied" },
  cancelled: { q: "cancelled" },
  unknown: { outcome: "unknown" },
};

const CALLS: ChartSpec = {
  key: "calls",
  title: "Calls",
  unit: (bucket) => `per ${bucket}, times in UTC`,
  kind: "bars",
  series: [
    { key: "succeeded", label: "Succeeded", color: CHART.succeeded },
    { key: "failed", label: "Failed", color: CHART.failed },
    { key: "denied", label: "Denied", color: CHART.denied },
    { key: "cancelled", label: "Cancelled", color: CHART.p50 },
    { key: "unknown", label: "Unknown", color: CHART.axis, fill: "rows" },
  ],
  values: ({ successes, failures, denied, cancelled, unknown }) => ({
    ...{ succeeded: successes, failed: failures, denied, cancelled, unknown },
  }),
  of: "requests",
  format: count,
  leads: (key) => (key === null ? {} : (LAYERS[key] ?? null)),
};

const ERRORS: ChartSpec = {
  key: "errors",
  title: "Error rate",
  unit: () => "of calls that reached the server",
  kind: "lines",
  series: [{ key: "errorRate", label: "Error rate", color: CHART.denied, dash: "none" }],
  values: ({ errorRate }) => ({ errorRate }),
  of: "samples",
  format: formatShare,
  valueUnit: "0 to 1",
  threshold: { at: 0.05, label: "limit 5 %", always: true },
  leads: toFailures,
};

export const LATENCY: ChartSpec = {
  key: "latency",
  title: "Latency",
  unit: () => "of calls that reached the server, times in UTC",
  kind: "lines",
  series: [
    { key: "p50", label: "P50", color: CHART.p50, dash: "1 3" },
    { key: "p95", label: "P95", color: CHART.p95, dash: "none" },
    { key: "p99", label: "P99", color: CHART.p99, dash: "6 3" },
  ],
  values: ({ p50Ms, p95Ms, p99Ms }) => ({ p50: p50Ms, p95: p95Ms, p99: p99Ms }),
  of: "samples",
  format: formatDuration,
  valueUnit: "ms",
  threshold: { at: 5_000, label: "P95 limit 5 s" },
  leads: toAll,
};

/** Below this the axis begins at what was measured. */
const LOW_AVAILABILITY = 0.98;

const AVAILABILITY: ChartSpec = {
  key: "availability",
  title: "Availability",
  unit: () => "of calls that were meant for the server",
  kind: "lines",
  series: [{ key: "availability", label: "Availability", color: CHART.succeeded, dash: "none" }],
  values: ({ availability }) => ({ availability }),
  of: "requests",
  format: formatShare,
  valueUnit: "0 to 1",
  threshold: { at: 0.99, label: "limit 99 %", always: true },
  domain: (points) => [Math.min(LOW_AVAILABILITY, ...points.map(({ values }) => values["availability"] ?? 1)), 1],
  leads: toFailures,
};

const sum = (...parts: readonly (number | null)[]): number | null =>
  parts.every((part) => part === null) ? null : parts.reduce<number>((total, part) => total + (part ?? 0), 0);

const STAGES: ChartSpec = {
  key: "stages",
  title: "Where the time went",
  unit: (bucket) => `mean of a call, per ${bucket}`,
  kind: "bars",
  series: [
    { key: "upstream", label: "Server", color: CHART.p95 },
    { key: "queue", label: "Waiting for a place", color: CHART.p99 },
    { key: "policy", label: "Deciding", color: CHART.p50 },
    { key: "audit", label: "Audit trail", color: CHART.succeeded },
    { key: "other", label: "Rest of the gateway", color: CHART.axis, fill: "rows" },
  ],
  values: ({ upstreamMeanMs, queueMeanMs, policyMeanMs, auditMeanMs, outcomeMeanMs, otherMeanMs }) => ({
    ...{ upstream: upstreamMeanMs, queue: queueMeanMs, policy: policyMeanMs, other: otherMeanMs },
    audit: sum(auditMeanMs, outcomeMeanMs),
  }),
  of: "samples",
  format: formatDuration,
  valueUnit: "ms",
  decimals: true,
  leads: toAll,
};

const HELD_BACK: ChartSpec = {
  key: "held",
  title: "Held back",
  unit: (bucket) => `calls that waited or were refused, per ${bucket}`,
  kind: "bars",
  series: [
    { key: "queued", label: "Waited for a place", color: CHART.p50 },
    { key: "overloaded", label: "No place", color: CHART.failed },
    { key: "circuit", label: "Circuit open", color: CHART.denied },
    { key: "limited", label: "Limit", color: CHART.p95 },
  ],
  values: ({ queued, overloaded, circuitRefusals, limited }) => ({
    ...{ queued, overloaded, circuit: circuitRefusals, limited },
  }),
  of: "requests",
  format: count,
  leads: (key) => (key === "queued" ? null : toAll(null)),
};

const KEPT: ChartSpec = {
  key: "kept",
  title: "Kept answers",
  unit: () => "share of calls that were answered without the server",
  kind: "lines",
  series: [{ key: "hits", label: "Hit ratio", color: CHART.p95, dash: "none" }],
  values: ({ cacheHitRatio }) => ({ hits: cacheHitRatio }),
  of: "samples",
  format: formatShare,
  valueUnit: "0 to 1",
  domain: () => [0, 1],
  leads: toAll,
};

export const FIRST_CHARTS: readonly ChartSpec[] = [CALLS, ERRORS];
export const LAST_CHARTS: readonly ChartSpec[] = [AVAILABILITY, STAGES, HELD_BACK, KEPT];

/** Nothing measured is told apart: silence, calls that all stopped before the server, and a time nobody recorded. */
function gapOf({ state, requests }: SeriesPoint, samples: number): { readonly gap?: string } {
  if (state === "not_recorded") return { gap: "not recorded" };
  return samples === 0 && requests > 0 ? { gap: "none reached it" } : {};
}

export const pointsOf = (spec: ChartSpec, view: SeriesView): readonly ChartPoint[] =>
  view.points.map((point) => {
    const samples = point[spec.of];
    return { at: point.at, samples, values: spec.values(point), ...gapOf(point, samples) };
  });
