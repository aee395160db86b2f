"use client";
import type { ReactNode } from "react";
import { ChartFrame } from "@/components/charts/chart-frame";
import { Lines } from "@/components/charts/lines";
import type { ChartPoint, TimeMark } from "@/components/charts/series";
import { StackedBars } from "@/components/charts/stacked-bars";
import { farWords } from "@/components/charts/threshold";
import { type ChartSpec, FIRST_CHARTS, LAST_CHARTS, LATENCY, pointsOf } from "@/components/figures/chart-specs";
import { CircuitBands } from "@/components/figures/circuit-bands";
import { bucketWindow, type FigureSubject, trailHref } from "@/components/figures/trail-links";
import type { useFigureWindow } from "@/components/figures/use-figure-window";
import { useMay } from "@/components/shell/me-context";
import { formatDuration } from "@/components/ui/format";
import type { CircuitsView, SeriesView } from "@/lib/metrics/schemas";

/** Charts of the same page share their cursor. */
export const FIGURES_CURSOR = "figures";

type Props = {
  readonly subject: FigureSubject;
  readonly view: SeriesView;
  readonly circuits: CircuitsView | undefined;
  readonly marks: readonly TimeMark[];
  readonly page: ReturnType<typeof useFigureWindow>;
};

/** What all charts of the page are told. */
function useTimeline({ subject, view, marks, page }: Omit<Props, "circuits">) {
  const mayReadAudit = useMay("audit:read");
  const onRange = (fromMs: number, toMs: number): void =>
    page.change({ from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() });
  return (leads: ChartSpec["leads"]) => ({
    marks,
    onRange,
    hrefOf: (point: ChartPoint, key: string | null): string | null => {
      const ask = leads(key);
      if (ask === null || !mayReadAudit) return null;
      return trailHref(subject, bucketWindow(point.at, view.bucketMs), ask);
    },
  });
}

type ChartProps = Omit<Props, "circuits"> & {
  readonly spec: ChartSpec;
  readonly below?: (points: readonly ChartPoint[]) => ReactNode;
};

function Chart({ spec, below, ...props }: ChartProps) {
  const { subject, view, page } = props;
  const timeline = useTimeline(props)(spec.leads);
  const points = pointsOf(spec, view);
  const { series, format, threshold } = spec;
  const drawing = { series, points, format, timeline, bucketMs: view.bucketMs, syncId: FIGURES_CURSOR };
  const far = threshold === undefined ? null : farWords(threshold, series, points);
  return (
    <ChartFrame
      {...{ title: spec.title, series, points, format, bucketMs: view.bucketMs, hrefOf: timeline.hrefOf }}
      unit={spec.unit(formatDuration(view.bucketMs))}
      fileName={subject.tool === undefined ? subject.server : `${subject.server}__${subject.tool}`}
      {...(spec.valueUnit === undefined ? {} : { valueUnit: spec.valueUnit })}
      note={far}
      below={below?.(points)}
      {...page.tableOf(spec.key)}
    >
      {spec.kind === "bars" ? (
        <StackedBars {...drawing} decimals={spec.decimals === true} />
      ) : (
        <Lines
          {...drawing}
          {...(threshold === undefined ? {} : { threshold })}
          {...(spec.domain === undefined ? {} : { domain: spec.domain(points) })}
        />
      )}
    </ChartFrame>
  );
}

/** Rate, errors, times with the circuit under them, and where the time went: all on one time axis. */
export function FigureCharts({ circuits, ...props }: Props) {
  const { subject, view, marks, page } = props;
  const onRange = useTimeline(props)(() => null).onRange;
  return (
    <div className="grid gap-4 xl:grid-cols-2">
      {FIRST_CHARTS.map((spec) => (
        <Chart key={spec.key} spec={spec} {...props} />
      ))}
      <div className="min-w-0 xl:col-span-2">
        <Chart
          spec={LATENCY}
          {...props}
          below={(points) => (
            <CircuitBands
              {...{ subject, circuits, points, page }}
              bucketMs={view.bucketMs}
              timeline={{ marks, onRange }}
              syncId={FIGURES_CURSOR}
            />
          )}
        />
      </div>
      {LAST_CHARTS.map((spec) => (
        <Chart key={spec.key} spec={spec} {...props} />
      ))}
    </div>
  );
}
