"use client";
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { ChartTooltip } from "@/components/charts/chart-tooltip";
import { CHART } from "@/components/charts/palette";
import { type ChartPoint, type Series, spanOf, tickLabel } from "@/components/charts/series";

export type StackedBarsProps = {
  readonly series: readonly Series[];
  readonly points: readonly ChartPoint[];
  readonly bucketMs: number;
  readonly format: (value: number | null) => string;
  /** Charts of the same id share their cursor. */
  readonly syncId?: string;
};

const tick = { fill: CHART.axis, fontSize: 11 };

/** One bar per bucket, its layers from bottom to top in the order of `series`. */
export function StackedBars({ series, points, bucketMs, format, syncId }: StackedBarsProps) {
  const rows = points.map((point) => ({ at: point.at, point, ...point.values }));
  const span = spanOf(points, bucketMs);
  return (
    <ResponsiveContainer width="100%" height="100%">
      <BarChart data={rows} margin={{ top: 4, right: 4, bottom: 0, left: 0 }} {...(syncId ? { syncId } : {})}>
        <CartesianGrid vertical={false} stroke={CHART.grid} />
        <XAxis
          dataKey="at"
          tick={tick}
          tickLine={false}
          axisLine={{ stroke: CHART.grid }}
          minTickGap={40}
          tickFormatter={(at: string) => tickLabel(at, span, bucketMs)}
        />
        <YAxis
          tick={tick}
          tickLine={false}
          axisLine={false}
          width={44}
          allowDecimals={false}
          tickFormatter={(value: number) => format(value)}
        />
        <Tooltip
          isAnimationActive={false}
          cursor={{ fill: "var(--hover)" }}
          content={({ payload }) => <ChartTooltip point={payload[0]?.payload?.point} series={series} format={format} />}
        />
        {series.map((one) => (
          <Bar
            key={one.key}
            dataKey={one.key}
            stackId="all"
            fill={one.color}
            isAnimationActive={false}
            maxBarSize={24}
          />
        ))}
      </BarChart>
    </ResponsiveContainer>
  );
}
