"use client";
import type { ReactNode } from "react";
import { ChartTable } from "@/components/charts/chart-table";
import type { ChartPoint, Series } from "@/components/charts/series";
import { Button } from "@/components/ui/button";

export type ChartFrameProps = {
  readonly title: string;
  /** The unit of the axis: "calls", "ms". */
  readonly unit: string;
  readonly series: readonly Series[];
  readonly points: readonly ChartPoint[];
  readonly format: (value: number | null) => string;
  readonly asTable: boolean;
  readonly onAsTableChange: (asTable: boolean) => void;
  readonly children: ReactNode;
};

function Legend({ series }: { readonly series: readonly Series[] }) {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
      {series.map((one) => (
        <li key={one.key} className="flex items-center gap-1.5">
          <svg aria-hidden="true" width="16" height="8">
            {one.dash === undefined ? (
              <rect width="16" height="8" rx="1" fill={one.color} />
            ) : (
              <line x1="0" x2="16" y1="4" y2="4" stroke={one.color} strokeWidth="2" strokeDasharray={one.dash} />
            )}
          </svg>
          {one.label}
        </li>
      ))}
    </ul>
  );
}

/** Title, unit, legend and the switch between the drawing and its numbers. */
export function ChartFrame(props: ChartFrameProps) {
  const { title, unit, series, points, format, asTable, onAsTableChange, children } = props;
  return (
    <figure className="flex min-w-0 flex-col gap-2 rounded-md border border-line p-3" aria-label={title}>
      <figcaption className="flex items-center justify-between gap-2">
        <h2 className="text-base font-semibold">
          {title} <span className="text-xs font-normal text-muted">{unit}</span>
        </h2>
        <Button size="sm" variant="ghost" aria-pressed={asTable} onClick={() => onAsTableChange(!asTable)}>
          {asTable ? "View as chart" : "View as table"}
        </Button>
      </figcaption>
      <Legend series={series} />
      <div className="h-56">
        {asTable ? <ChartTable label={title} series={series} points={points} format={format} /> : children}
      </div>
    </figure>
  );
}
