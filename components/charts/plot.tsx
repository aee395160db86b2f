"use client";
import type { ReactNode } from "react";
import { EmptyLayer, OverLayer } from "@/components/charts/plot-layers";
import type { ChartPoint, Timeline } from "@/components/charts/series";
import { emptyStretches, PLOT, placeMarks } from "@/components/charts/time-axis";
import { useBrush } from "@/components/charts/use-brush";
import { cn } from "@/components/ui/cn";

type Props = {
  readonly points: readonly ChartPoint[];
  readonly bucketMs: number;
  readonly timeline: Timeline | undefined;
  /** Height of what lies under the plot; the axis unless told. */
  readonly bottom?: number;
  readonly flags?: boolean;
  readonly showEmpty?: boolean;
  readonly children: ReactNode;
};

const NONE: Timeline = {};

/** A chart with what lies behind and before it on the same time axis: empty stretches, marks, and the range being drawn. */
export function Plot(props: Props) {
  const { points, bucketMs, timeline = NONE, bottom = PLOT.bottom, flags = true, showEmpty = true, children } = props;
  const { selection, handlers } = useBrush({ points, bucketMs, timeline });
  const { marks = [], onRange, hrefOf } = timeline;
  return (
    <div
      className={cn("relative size-full", onRange ? "cursor-crosshair select-none" : hrefOf && "cursor-pointer")}
      {...handlers}
    >
      {showEmpty ? <EmptyLayer stretches={emptyStretches(points)} bottom={bottom} /> : null}
      <div className="relative size-full">{children}</div>
      <OverLayer marks={placeMarks(marks, points, bucketMs)} selection={selection} bottom={bottom} flags={flags} />
    </div>
  );
}
