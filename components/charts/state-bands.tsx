"use client";
import { Download } from "lucide-react";
import { useId } from "react";
import { Bar, BarChart, ResponsiveContainer, Tooltip, XAxis } from "recharts";
import { type Band, BandTable, BandTooltip } from "@/components/charts/band-table";
import { TOOLTIP_ABOVE } from "@/components/charts/chart-tooltip";
import { csvName, downloadCsv, toCsv } from "@/components/charts/csv";
import { Plot } from "@/components/charts/plot";
import { share } from "@/components/charts/plot-layers";
import type { ChartPoint, Series, Timeline } from "@/components/charts/series";
import { FillPatterns, patternId, Swatch } from "@/components/charts/swatch";
import { axisOf, PLOT, placeBands } from "@/components/charts/time-axis";
import { Button } from "@/components/ui/button";

export type StateBandsProps = {
  readonly title: string;
  /** Each state that there may be, with its look; `key` is the state. */
  readonly states: readonly Series[];
  readonly bands: readonly Band[];
  /** Those of the chart above: the bands lie on their time axis. */
  readonly points: readonly ChartPoint[];
  readonly bucketMs: number;
  readonly syncId?: string;
  readonly timeline?: Timeline | undefined;
  readonly asTable: boolean;
  readonly onAsTableChange: (asTable: boolean) => void;
  readonly fileName?: string;
  /** What the time in each state came to, in words. */
  readonly note?: string;
};

const HEIGHT = 22;
type DrawingProps = Omit<StateBandsProps, "title" | "asTable" | "onAsTableChange" | "fileName" | "note">;

function Drawing({ states, bands, points, bucketMs, syncId, timeline }: DrawingProps) {
  const scope = useId();
  const placed = placeBands(bands, points, bucketMs);
  const stateOf = (key: string) => states.find((state) => state.key === key);
  return (
    <Plot points={points} bucketMs={bucketMs} timeline={timeline} bottom={0} flags={false} showEmpty={false}>
      <svg
        aria-hidden="true"
        className="absolute"
        style={{ left: PLOT.left, top: PLOT.top, width: `calc(100% - ${PLOT.left + PLOT.right}px)`, height: HEIGHT }}
      >
        <FillPatterns scope={scope} series={states} />
        {placed.map(({ start, end, band }) => {
          const state = stateOf(band.state);
          return state === undefined ? null : (
            <rect
              key={band.from}
              x={share(start)}
              width={share(end - start)}
              height={HEIGHT}
              fill={`url(#${patternId(scope, state)})`}
              stroke={state.color}
            />
          );
        })}
      </svg>
      <div aria-hidden className="absolute" style={{ left: PLOT.left, right: PLOT.right, top: PLOT.top }}>
        {placed.map(({ start, end, band }) => (
          <span
            key={band.from}
            className="@container absolute flex items-center"
            style={{ left: share(start), width: share(end - start), height: HEIGHT }}
          >
            <span className="ml-1 hidden truncate rounded-sm bg-page px-1 text-xs text-text @min-[72px]:inline">
              {stateOf(band.state)?.label}
            </span>
          </span>
        ))}
      </div>
      <ResponsiveContainer width="100%" height="100%">
        <BarChart
          data={points.map((point) => ({ at: point.at, point, whole: 1 }))}
          margin={{ top: PLOT.top, right: PLOT.right, bottom: 0, left: PLOT.left }}
          {...(syncId ? { syncId } : {})}
        >
          <XAxis dataKey="at" hide />
          <Tooltip
            isAnimationActive={false}
            wrapperStyle={TOOLTIP_ABOVE}
            cursor={{ stroke: "var(--ink)", strokeWidth: 1, fill: "transparent" }}
            content={({ payload }) => (
              <BandTooltip point={payload[0]?.payload?.point} bucketMs={bucketMs} bands={bands} states={states} />
            )}
          />
          <Bar dataKey="whole" fill="transparent" isAnimationActive={false} />
        </BarChart>
      </ResponsiveContainer>
    </Plot>
  );
}

/** What state something was in, as bands under a chart and on its time axis. */
export function StateBands(props: StateBandsProps) {
  const { title, states, bands, points, bucketMs, asTable, onAsTableChange, fileName, note } = props;
  const scope = useId();
  const seen = states.filter(({ key }) => bands.some(({ state }) => state === key));
  const download = () => {
    const { fromMs, toMs } = axisOf(points, bucketMs);
    const rows = bands.map(({ from, to, state, reason }) => [from, to, state, reason ?? ""]);
    downloadCsv(
      csvName([fileName ?? "figures", title], fromMs, toMs),
      toCsv([["from", "to", "state", "reason"], ...rows]),
    );
  };
  return (
    <section aria-label={title} className="flex min-w-0 flex-col gap-1">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-xs text-muted">
        <h3 className="text-sm font-medium text-text">{title}</h3>
        <ul className="flex flex-wrap gap-x-4">
          {seen.map((state) => (
            <li key={state.key} className="flex items-center gap-1.5">
              <Swatch scope={scope} series={states} one={state} />
              {state.label}
            </li>
          ))}
        </ul>
        {note ? <span>{note}</span> : null}
        <span className="ml-auto flex items-center">
          <Button
            size="sm"
            variant="ghost"
            aria-pressed={asTable}
            aria-label={`${title}: view as ${asTable ? "chart" : "table"}`}
            onClick={() => onAsTableChange(!asTable)}
          >
            {asTable ? "View as chart" : "View as table"}
          </Button>
          <Button size="sm" variant="ghost" aria-label={`Download ${title} as CSV`} onClick={download}>
            <Download aria-hidden /> CSV
          </Button>
        </span>
      </div>
      {asTable ? (
        <BandTable label={title} bands={bands} states={states} />
      ) : (
        <div style={{ height: HEIGHT + PLOT.top }}>
          <Drawing {...props} />
        </div>
      )}
    </section>
  );
}
