import type { ChartPoint, Series } from "@/components/charts/series";
import { formatCount, formatUtc } from "@/components/ui/format";

type Props = {
  readonly label: string;
  readonly series: readonly Series[];
  readonly points: readonly ChartPoint[];
  readonly format: (value: number | null) => string;
};

/** The numbers behind a chart, newest first. */
export function ChartTable({ label, series, points, format }: Props) {
  return (
    <section
      aria-label={`${label}, as table`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className="h-full overflow-auto"
    >
      <table className="w-full text-xs">
        <thead className="sticky top-0 bg-page text-muted">
          <tr>
            <th scope="col" className="pr-3 text-left font-medium">
              From
            </th>
            {series.map((one) => (
              <th key={one.key} scope="col" className="px-2 text-right font-medium">
                {one.label}
              </th>
            ))}
            <th scope="col" className="pl-2 text-right font-medium">
              Samples
            </th>
          </tr>
        </thead>
        <tbody>
          {points.toReversed().map((point) => (
            <tr key={point.at} className="border-t border-line">
              <td className="py-1 pr-3 whitespace-nowrap">{formatUtc(point.at)}</td>
              {series.map((one) => (
                <td key={one.key} className="px-2 text-right">
                  {format(point.values[one.key] ?? null)}
                </td>
              ))}
              <td className="pl-2 text-right">{formatCount(point.samples)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
