import type { ChartPoint, Series } from "@/components/charts/series";
import { formatCount, formatUtc } from "@/components/ui/format";

type Props = {
  readonly point: ChartPoint | undefined;
  readonly series: readonly Series[];
  readonly format: (value: number | null) => string;
};

export function ChartTooltip({ point, series, format }: Props) {
  if (point === undefined) return null;
  return (
    <div className="rounded-md border border-line bg-raised px-3 py-2 text-xs text-text shadow-md">
      <p className="text-muted">{formatUtc(point.at)}</p>
      <ul className="mt-1 flex flex-col gap-0.5">
        {series.map((one) => (
          <li key={one.key} className="flex justify-between gap-6">
            <span className="flex items-center gap-1.5">
              <svg aria-hidden="true" width="8" height="8">
                <rect width="8" height="8" rx="1" fill={one.color} />
              </svg>
              {one.label}
            </span>
            <span className="tabular-nums">{format(point.values[one.key] ?? null)}</span>
          </li>
        ))}
      </ul>
      <p className="mt-1 text-muted">{formatCount(point.samples)} samples</p>
    </div>
  );
}
