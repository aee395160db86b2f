import type { HrTime } from "@opentelemetry/api";
import type { MetricData } from "@opentelemetry/sdk-metrics";
import type { Family, Sample } from "@/lib/metrics/exposition";

type Sdk = typeof import("@opentelemetry/sdk-metrics");

/** From when on things are counted, and now. */
export type Span = { readonly startTime: HrTime; readonly endTime: HrTime };

const UNITS = [
  [/_seconds(_total)?$/, "s"],
  [/_bytes$/, "By"],
] as const;

/** A family as OpenTelemetry has it: the name that Prometheus knows, and the same numbers. */
export function toMetricData({ AggregationTemporality, DataPointType }: Sdk, family: Family, span: Span): MetricData {
  const { name, help: description } = family;
  const unit = UNITS.find(([ending]) => ending.test(name))?.[1] ?? "1";
  // 1 is DOUBLE in the API's own numbering.
  const descriptor = { name, description, unit, valueType: 1 };
  const about = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  switch (family.type) {
    case "counter":
      return {
        ...about,
        dataPointType: DataPointType.SUM,
        isMonotonic: true,
        dataPoints: pointsOf(family.samples, span),
      };
    case "gauge":
      return { ...about, dataPointType: DataPointType.GAUGE, dataPoints: pointsOf(family.samples, span) };
    case "histogram": {
      const { boundsMs, counts, sumMs } = family.histogram;
      const buckets = { boundaries: boundsMs.map((bound) => bound / 1_000), counts: [...counts] };
      const value = { buckets, sum: sumMs / 1_000, count: counts.reduce((sum, n) => sum + n, 0) };
      return { ...about, dataPointType: DataPointType.HISTOGRAM, dataPoints: [{ ...span, attributes: {}, value }] };
    }
  }
}

const pointsOf = (samples: readonly Sample[], span: Span) =>
  samples
    .filter(({ value }) => Number.isFinite(value))
    .map(({ labels = {}, value }) => ({ ...span, attributes: labels, value }));
