"use client";
import { useId } from "react";
import { CartesianGrid, Line, LineChart, ReferenceLine, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { ChartTooltip, TOOLTIP_ABOVE } from "@/components/charts/chart-tooltip";
import { CHART } from "@/components/charts/palette";
import { Plot } from "@/components/charts/plot";
import { type ChartPoint, isLonely, type Series, spanOf, type Timeline, tickLabel } from "@/components/charts/series";
import { isWithinReach, type Threshold } from "@/components/charts/threshold";
import { PLOT } from "@/components/charts/time-axis";

export type LinesProps = {
  readonly series: readonly Series[];
  readonly points: readonly ChartPoint[];
  readonly bucketMs: number;
  readonly format: (value: number | null) => string;
  /** A named limit, drawn when the axis can reach it, and otherwise said. */
  readonly threshold?: Threshold;
  /** Ends of the axis; from nought to what is needed unless told. */
  readonly domain?: readonly [number | "auto", number | "auto"];
  readonly syncId?: string;
  readonly timeline?: Timeline | undefined;
};

const tick = { fill: CHART.axis, fontSize: 11 };

type DotProps = {
  readonly cx?: number | undefined;
  readonly cy?: number | undefined;
  readonly index?: number | undefined;
};

function lonelyDot(points: readonly ChartPoint[], { key, color }: Series, { cx, cy, index }: DotProps) {
  const show = index !== undefined && isLonely(points, index, key);
  return show ? <circle key={index} cx={cx} cy={cy} r={2.5} fill={color} /> : <g key={index} />;
}

/** Thin lines with gaps where nothing was measured; a lone measurement is a dot. */
export function Lines({ series, points, bucketMs, format, threshold, domain, syncId, timeline }: LinesProps) {
  const scope = useId();
  const rows = points.map((point) => ({ at: point.at, point, ...point.values }));
  const span = spanOf(points, bucketMs);
  const limit = threshold && isWithinReach(threshold, series, points) ? threshold : null;
  return (
    <Plot points={points} bucketMs={bucketMs} timeline={timeline}>
      <ResponsiveContainer width="100%" height="100%">
        <LineChart
          data={rows}
          margin={{ top: PLOT.top, right: PLOT.right, bottom: 0, left: 0 }}
          {...(syncId ? { syncId } : {})}
        >
          <CartesianGrid vertical={false} stroke={CHART.grid} />
          <XAxis
            dataKey="at"
            scale="band"
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
            domain={domain ?? [0, "auto"]}
            tickFormatter={(value: number) => format(value)}
          />
          <Tooltip
            isAnimationActive={false}
            wrapperStyle={TOOLTIP_ABOVE}
            content={({ payload }) => (
              <ChartTooltip point={payload[0]?.payload?.point} series={series} format={format} scope={scope} />
            )}
          />
          {limit ? (
            <ReferenceLine
              y={limit.at}
              stroke={CHART.denied}
              strokeDasharray="2 4"
              ifOverflow="extendDomain"
              label={{ value: limit.label, position: "insideTopRight", fill: CHART.axis, fontSize: 11 }}
            />
          ) : null}
          {series.map((one) => (
            <Line
              key={one.key}
              dataKey={one.key}
              stroke={one.color}
              strokeWidth={1.5}
              {...(one.dash === undefined ? {} : { strokeDasharray: one.dash })}
              dot={(dot: DotProps) => lonelyDot(points, one, dot)}
              activeDot={{ r: 3 }}
              connectNulls={false}
              isAnimationActive={false}
            />
          ))}
        </LineChart>
      </ResponsiveContainer>
    </Plot>
  );
}
