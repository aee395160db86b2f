import type { ChartPoint, Series } from "@/components/charts/series";
import type { StateBand } from "@/components/charts/time-axis";
import { formatDuration, formatUtc } from "@/components/ui/format";

export type Band = StateBand & { readonly reason: string | null };

type Props = { readonly label: string; readonly bands: readonly Band[]; readonly states: readonly Series[] };

const wordOf = (states: readonly Series[], key: string): string =>
  states.find((state) => state.key === key)?.label ?? key;
const lengthOf = ({ from, to }: Band): number => Date.parse(to) - Date.parse(from);

/** The bands in words, newest first. */
export function BandTable({ label, bands, states }: Props) {
  return (
    <section
      aria-label={`${label}, as table`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className="max-h-56 overflow-auto"
    >
      <table className="w-full text-xs">
        <thead className="sticky top-0 bg-page text-left text-muted">
          <tr>
            {["From", "State", "For", "Why"].map((name) => (
              <th key={name} scope="col" className="pr-3 font-medium">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {bands.toReversed().map((band) => (
            <tr key={band.from} className="border-t border-line align-top">
              <td className="py-1 pr-3 whitespace-nowrap">{formatUtc(band.from)}</td>
              <td className="py-1 pr-3 whitespace-nowrap">{wordOf(states, band.state)}</td>
              <td className="py-1 pr-3 whitespace-nowrap tabular-nums">{formatDuration(lengthOf(band))}</td>
              <td className="min-w-48 py-1">{band.reason ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

type TooltipProps = {
  readonly point: ChartPoint | undefined;
  readonly bucketMs: number;
  readonly bands: readonly Band[];
  readonly states: readonly Series[];
};

/** The states within one bucket, which may be several. */
export function BandTooltip({ point, bucketMs, bands, states }: TooltipProps) {
  if (point === undefined) return null;
  const from = Date.parse(point.at);
  const within = bands.filter((band) => Date.parse(band.from) < from + bucketMs && Date.parse(band.to) > from);
  return (
    <div className="max-w-80 rounded-md border border-line bg-raised px-3 py-2 text-xs text-text shadow-md">
      <p className="text-muted">{formatUtc(point.at)}</p>
      {within.map((band) => (
        <p key={band.from} className="mt-1 whitespace-normal">
          {wordOf(states, band.state)}
          {band.reason === null ? "" : `: ${band.reason}`}
        </p>
      ))}
    </div>
  );
}
