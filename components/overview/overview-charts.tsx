"use client";
import { ChartFrame } from "@/components/charts/chart-frame";
import { Lines } from "@/components/charts/lines";
import { CHART } from "@/components/charts/palette";
import type { ChartPoint, Series } from "@/components/charts/series";
import { StackedBars } from "@/components/charts/stacked-bars";
import { farWords, type Threshold } from "@/components/charts/threshold";
import { ERROR_RATE_LIMIT, P95_LIMIT_MS } from "@/components/overview/attention";
import { bucketHref } from "@/components/overview/overview-links";
import { formatCount, formatDuration, formatShare } from "@/components/ui/format";
import type { OverviewView } from "@/lib/metrics/schemas";

type Row = OverviewView["series"][number];
type ChartSpec = {
  readonly key: string;
  readonly title: string;
  readonly unit: (bucket: string) => string;
  readonly series: readonly Series[];
  readonly values: (row: Row) => ChartPoint["values"];
  /** Whether refused calls stand behind the figures too. */
  readonly ofAll: boolean;
  readonly format: (value: number | null) => string;
  readonly valueUnit: string;
  readonly threshold?: Threshold;
  readonly domain?: (rows: readonly Row[]) => readonly [number | "auto", number | "auto"];
  /** What the entries behind a bucket have in common. */
  readonly outcome?: string;
};

/** Above this the axis of availability begins here; below, at what was measured. */
const LOW_AVAILABILITY = 0.98;

const CHARTS: readonly ChartSpec[] = [
  {
    ...{
      key: "calls",
      title: "Calls",
      unit: (bucket) => `per ${bucket}, times in UTC`,
      valueUnit: "calls",
      ofAll: true,
    },
    series: [
      { key: "succeeded", label: "Succeeded", color: CHART.succeeded },
      { key: "failed", label: "Failed", color: CHART.failed },
      { key: "denied", label: "Denied", color: CHART.denied },
    ],
    values: ({ calls, failures, denied }) => ({
      succeeded: Math.max(0, calls - failures - denied),
      ...{ failed: failures, denied },
    }),
    format: (value) => formatCount(value ?? 0),
  },
  {
    ...{ key: "latency", title: "Latency", valueUnit: "ms", ofAll: false },
    unit: () => "of calls that reached a server, times in UTC",
    series: [
      { key: "p50", label: "P50", color: CHART.p50, dash: "1 3" },
      { key: "p95", label: "P95", color: CHART.p95, dash: "none" },
      { key: "p99", label: "P99", color: CHART.p99, dash: "6 3" },
    ],
    values: ({ p50Ms, p95Ms, p99Ms }) => ({ p50: p50Ms, p95: p95Ms, p99: p99Ms }),
    format: formatDuration,
    threshold: { at: P95_LIMIT_MS, label: "P95 limit 5 s" },
  },
  {
    ...{ key: "errors", title: "Error rate", valueUnit: "0 to 1", ofAll: false, outcome: "failure" },
    unit: () => "of calls that reached a server",
    series: [{ key: "errorRate", label: "Error rate", color: CHART.denied, dash: "none" }],
    values: ({ errorRate }) => ({ errorRate }),
    format: formatShare,
    threshold: { at: ERROR_RATE_LIMIT, label: "limit 5 %", always: true },
  },
  {
    ...{ key: "availability", title: "Availability", valueUnit: "0 to 1", ofAll: false, outcome: "failure" },
    unit: () => "of calls that were meant for a server",
    series: [{ key: "availability", label: "Availability", color: CHART.succeeded, dash: "none" }],
    values: ({ availability }) => ({ availability }),
    format: formatShare,
    threshold: { at: 0.99, label: "limit 99 %", always: true },
    domain: (rows) => [Math.min(LOW_AVAILABILITY, ...rows.map(({ availability }) => availability ?? 1)), 1],
  },
];

function pointOf(spec: ChartSpec, row: Row): ChartPoint {
  const samples = spec.ofAll ? row.calls : row.calls - row.denied;
  const gap =
    row.state === "not_recorded"
      ? "not recorded"
      : samples === 0 && row.calls > 0
        ? "none reached a server"
        : undefined;
  return { at: row.at, samples, values: spec.values(row), ...(gap === undefined ? {} : { gap }) };
}

type Props = {
  readonly tenant: string;
  readonly view: OverviewView;
  readonly mayReadAudit: boolean;
  readonly onRange: (fromMs: number, toMs: number) => void;
  readonly tableOf: (chart: string) => { readonly asTable: boolean; readonly onAsTableChange: (on: boolean) => void };
};

/** Calls, times, errors and availability on one time axis. */
export function OverviewCharts(props: Props) {
  return (
    <div className="grid gap-4 xl:grid-cols-2">
      {CHARTS.map((spec) => (
        <OverviewChart key={spec.key} spec={spec} {...props} />
      ))}
    </div>
  );
}

function OverviewChart({ spec, tenant, view, mayReadAudit, onRange, tableOf }: Props & { readonly spec: ChartSpec }) {
  const { key, title, unit, series, format, valueUnit, threshold, domain, outcome } = spec;
  const { bucketMs } = view;
  const points = view.series.map((row) => pointOf(spec, row));
  const hrefOf = mayReadAudit ? bucketHref(tenant, bucketMs, outcome) : undefined;
  const drawn = {
    ...{ series, points, bucketMs, format, syncId: "overview" },
    timeline: { onRange, ...(hrefOf === undefined ? {} : { hrefOf }) },
  };
  return (
    <ChartFrame
      {...{ title, series, points, format, valueUnit, bucketMs, hrefOf }}
      unit={unit(formatDuration(bucketMs))}
      fileName={tenant}
      note={threshold === undefined ? null : farWords(threshold, series, points)}
      {...tableOf(key)}
    >
      {key === "calls" ? (
        <StackedBars {...drawn} />
      ) : (
        <Lines {...drawn} {...(threshold ? { threshold } : {})} {...(domain ? { domain: domain(view.series) } : {})} />
      )}
    </ChartFrame>
  );
}
