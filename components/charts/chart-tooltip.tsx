import { type ChartPoint, emptyWords, type Series } from "@/components/charts/series";
import { Swatch } from "@/components/charts/swatch";
import { formatPlural, formatUtc } from "@/components/ui/format";

/** Over the lines and flags of marks, and under what sticks to the window. */
export const TOOLTIP_ABOVE = { zIndex: 5 } as const;

type Props = {
  readonly point: ChartPoint | undefined;
  readonly series: readonly Series[];
  readonly format: (value: number | null) => string;
  readonly scope: string;
};

export function ChartTooltip({ point, series, format, scope }: Props) {
  if (point === undefined) return null;
  const empty = emptyWords(point);
  return (
    <div className="rounded-md border border-line bg-raised px-3 py-2 text-xs text-text shadow-md">
      <p className="text-muted">{formatUtc(point.at)}</p>
      <ul className="mt-1 flex flex-col gap-0.5">
        {series.map((one) => (
          <li key={one.key} className="flex justify-between gap-6">
            <span className="flex items-center gap-1.5">
              <Swatch scope={`${scope}-tip`} series={series} one={one} />
              {one.label}
            </span>
            <span className="tabular-nums">{format(point.values[one.key] ?? null)}</span>
          </li>
        ))}
      </ul>
      <p className="mt-1 text-muted">{empty ?? formatPlural(point.samples, "sample", "samples")}</p>
    </div>
  );
}
