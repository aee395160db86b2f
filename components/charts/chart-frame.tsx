"use client";
import { Download } from "lucide-react";
import { type ReactNode, useId } from "react";
import { ChartTable } from "@/components/charts/chart-table";
import { csvName, downloadCsv, pointsToCsv } from "@/components/charts/csv";
import { EmptyLegend } from "@/components/charts/plot-layers";
import type { ChartPoint, HrefOf, Series } from "@/components/charts/series";
import { Swatch } from "@/components/charts/swatch";
import { axisOf } from "@/components/charts/time-axis";
import { Button } from "@/components/ui/button";

export type ChartFrameProps = {
  readonly title: string;
  /** What stands beside the title: "per minute", "of calls that reached a server". */
  readonly unit: string;
  readonly series: readonly Series[];
  readonly points: readonly ChartPoint[];
  readonly format: (value: number | null) => string;
  readonly asTable: boolean;
  readonly onAsTableChange: (asTable: boolean) => void;
  /** Whose figures these are, for the name of the file: "clinic", "files". */
  readonly fileName?: string;
  /** The unit of the plain numbers in the file: "ms". */
  readonly valueUnit?: string;
  readonly bucketMs?: number;
  /** Where rows of the table lead. */
  readonly hrefOf?: HrefOf | undefined;
  /** A limit or a sentence that is said beside the legend. */
  readonly note?: ReactNode;
  /** On the same time axis, under the drawing. */
  readonly below?: ReactNode;
  readonly children: ReactNode;
};

function Legend({ series, points, note }: Pick<ChartFrameProps, "series" | "points" | "note">) {
  const scope = useId();
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
      {series.map((one) => (
        <li key={one.key} className="flex items-center gap-1.5">
          <Swatch scope={scope} series={series} one={one} />
          {one.label}
        </li>
      ))}
      <EmptyLegend points={points} />
      {note ? <li>{note}</li> : null}
    </ul>
  );
}

function CsvButton({ title, series, points, fileName, valueUnit, bucketMs = 0 }: ChartFrameProps) {
  const download = () => {
    const { fromMs, toMs } = axisOf(points, bucketMs);
    const name = csvName([fileName ?? "figures", title], fromMs, toMs);
    downloadCsv(name, pointsToCsv(series, points, valueUnit));
  };
  return (
    <Button
      size="sm"
      variant="ghost"
      disabled={points.length === 0}
      aria-label={`Download ${title} as CSV`}
      onClick={download}
    >
      <Download aria-hidden /> CSV
    </Button>
  );
}

/** Title, unit, legend, the switch between the drawing and its numbers, and these as a file. */
export function ChartFrame(props: ChartFrameProps) {
  const { title, unit, series, points, format, asTable, onAsTableChange, hrefOf, note, below, children } = props;
  return (
    <figure className="flex min-w-0 flex-col gap-2 rounded-md border border-line p-3" aria-label={title}>
      <figcaption className="flex flex-wrap items-center justify-between gap-x-2">
        <h2 className="text-base font-semibold">
          {title} <span className="text-xs font-normal text-muted">{unit}</span>
        </h2>
        <span className="flex items-center max-sm:-ml-2">
          <Button size="sm" variant="ghost" aria-pressed={asTable} onClick={() => onAsTableChange(!asTable)}>
            {asTable ? "View as chart" : "View as table"}
          </Button>
          <CsvButton {...props} />
        </span>
      </figcaption>
      <Legend series={series} points={points} note={note} />
      <div className="h-56">
        {asTable ? (
          <ChartTable label={title} series={series} points={points} format={format} hrefOf={hrefOf} />
        ) : (
          children
        )}
      </div>
      {below}
    </figure>
  );
}
