"use client";
import { useQueryStates } from "nuqs";
import { ChartFrame } from "@/components/charts/chart-frame";
import { Lines } from "@/components/charts/lines";
import { CHART } from "@/components/charts/palette";
import type { ChartPoint, Series } from "@/components/charts/series";
import { StackedBars } from "@/components/charts/stacked-bars";
import { P95_LIMIT_MS } from "@/components/overview/attention";
import { type CHARTS, overviewParams } from "@/components/overview/overview-params";
import { formatCount, formatDuration } from "@/components/ui/format";
import type { OverviewView } from "@/lib/metrics/schemas";

const OUTCOMES: readonly Series[] = [
  { key: "succeeded", label: "Succeeded", color: CHART.succeeded },
  { key: "failed", label: "Failed", color: CHART.failed },
  { key: "denied", label: "Denied", color: CHART.denied },
];
const PERCENTILES: readonly Series[] = [
  { key: "p50", label: "P50", color: CHART.p50, dash: "1 3" },
  { key: "p95", label: "P95", color: CHART.p95, dash: "none" },
  { key: "p99", label: "P99", color: CHART.p99, dash: "6 3" },
];

const callPoints = (view: OverviewView): readonly ChartPoint[] =>
  view.series.map((row) => ({
    at: row.at,
    samples: row.calls,
    values: { succeeded: Math.max(0, row.calls - row.failures - row.denied), failed: row.failures, denied: row.denied },
  }));

const latencyPoints = (view: OverviewView): readonly ChartPoint[] =>
  view.series.map((row) => ({
    at: row.at,
    samples: row.calls - row.denied,
    values: { p50: row.p50Ms, p95: row.p95Ms, p99: row.p99Ms },
  }));

const count = (value: number | null) => formatCount(value ?? 0);

export function OverviewCharts({ view }: { readonly view: OverviewView }) {
  const [{ tables }, set] = useQueryStates(overviewParams);
  const table = (chart: (typeof CHARTS)[number]) => ({
    asTable: tables.includes(chart),
    onAsTableChange: (on: boolean) =>
      void set({ tables: on ? [...tables, chart] : tables.filter((other) => other !== chart) }),
  });
  const calls = callPoints(view);
  const latency = latencyPoints(view);
  const shared = { bucketMs: view.bucketMs, syncId: "overview" };
  return (
    <div className="grid gap-4 xl:grid-cols-2">
      <ChartFrame
        title="Calls"
        unit={`per ${formatDuration(view.bucketMs)}, times in UTC`}
        series={OUTCOMES}
        points={calls}
        format={count}
        {...table("calls")}
      >
        <StackedBars series={OUTCOMES} points={calls} format={count} {...shared} />
      </ChartFrame>
      <ChartFrame
        title="Latency"
        unit="of calls that reached a server, times in UTC"
        series={PERCENTILES}
        points={latency}
        format={formatDuration}
        {...table("latency")}
      >
        <Lines
          series={PERCENTILES}
          points={latency}
          format={formatDuration}
          threshold={{ at: P95_LIMIT_MS, label: "P95 limit 5 s" }}
          {...shared}
        />
      </ChartFrame>
    </div>
  );
}
