"use client";
import { useId } from "react";
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { ChartTooltip, TOOLTIP_ABOVE } from "@/components/charts/chart-tooltip";
import { CHART } from "@/components/charts/palette";
import { Plot } from "@/components/charts/plot";
import { type ChartPoint, type Series, spanOf, type Timeline, tickLabel } from "@/components/charts/series";
import { FillPatterns, patternId } from "@/components/charts/swatch";
import { PLOT } from "@/components/charts/time-axis";
import { seriesClass } from "@/components/charts/use-brush";

export type StackedBarsProps = {
  readonly series: readonly Series[];
  readonly points: readonly ChartPoint[];
  readonly bucketMs: number;
  readonly format: (value: number | null) => string;
  /** Charts of the same id share their cursor. */
  readonly syncId?: string;
  readonly timeline?: Timeline | undefined;
  /** Whether the axis may fall between whole numbers; not for counts. */
  readonly decimals?: boolean;
};

const tick = { fill: CHART.axis, fontSize: 11 };

/** One bar per bucket, its layers from bottom to top in the order of `series`. */
export function StackedBars({ series, points, bucketMs, format, syncId, timeline, decimals }: StackedBarsProps) {
  const scope = useId();
  const rows = points.map((point) => ({ at: point.at, point, ...point.values }));
  const span = spanOf(points, bucketMs);
  return (
    <Plot points={points} bucketMs={bucketMs} timeline={timeline}>
      <ResponsiveContainer width="100%" height="100%">
        <BarChart
          data={rows}
          margin={{ top: PLOT.top, right: PLOT.right, bottom: 0, left: 0 }}
          {...(syncId ? { syncId } : {})}
        >
          <FillPatterns scope={scope} series={series} />
          <CartesianGrid vertical={false} stroke={CHART.grid} />
          <XAxis
            dataKey="at"
            height={PLOT.bottom}
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
            width={PLOT.left}
            allowDecimals={decimals === true}
            tickFormatter={(value: number) => format(value)}
          />
          <Tooltip
            isAnimationActive={false}
            wrapperStyle={TOOLTIP_ABOVE}
            cursor={{ fill: "var(--hover)" }}
            content={({ payload }) => (
              <ChartTooltip point={payload[0]?.payload?.point} series={series} format={format} scope={scope} />
            )}
          />
          {series.map((one) => (
            <Bar
              key={one.key}
              className={seriesClass(one.key)}
              dataKey={one.key}
              stackId="all"
              fill={`url(#${patternId(scope, one)})`}
              stroke={one.color}
              strokeWidth={0.5}
              isAnimationActive={false}
              maxBarSize={24}
            />
          ))}
        </BarChart>
      </ResponsiveContainer>
    </Plot>
  );
}
