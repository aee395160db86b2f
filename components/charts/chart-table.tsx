import Link from "next/link";
import { type ChartPoint, emptyWords, type HrefOf, type Series } from "@/components/charts/series";
import { formatCount, formatUtc } from "@/components/ui/format";
import { moveRowFocus } from "@/components/ui/row-keys";

type Props = {
  readonly label: string;
  readonly series: readonly Series[];
  readonly points: readonly ChartPoint[];
  readonly format: (value: number | null) => string;
  readonly hrefOf?: HrefOf | undefined;
};

const linkClass = "inline-flex min-h-6 items-center text-accent-text hover:underline";

type CellProps = Pick<Props, "format" | "hrefOf"> & { readonly point: ChartPoint; readonly one: Series };

/** A value; a link where its series leads somewhere of its own. */
function Value({ point, one, format, hrefOf }: CellProps) {
  const value = point.values[one.key] ?? null;
  const href = value ? hrefOf?.(point, one.key) : null;
  if (!href) return format(value);
  return (
    <Link href={href} className={linkClass} aria-label={`${one.label}: ${format(value)}, show the entries`}>
      {format(value)}
    </Link>
  );
}

function From({ point, href }: { readonly point: ChartPoint; readonly href: string | null | undefined }) {
  if (!href) return formatUtc(point.at);
  return (
    <Link href={href} data-row="" className={linkClass} aria-label={`${formatUtc(point.at)}, show the entries`}>
      {formatUtc(point.at)}
    </Link>
  );
}

/** The numbers behind a chart, newest first. Enter opens the entries of a row, up and down go to the next one. */
export function ChartTable({ label, series, points, format, hrefOf }: Props) {
  return (
    <section
      aria-label={`${label}, as table`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      onKeyDown={moveRowFocus}
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
              <td className="py-1 pr-3 whitespace-nowrap">
                <From point={point} href={hrefOf?.(point, null)} />
              </td>
              {series.map((one) => (
                <td key={one.key} className="px-2 text-right whitespace-nowrap tabular-nums">
                  <Value point={point} one={one} format={format} hrefOf={hrefOf} />
                </td>
              ))}
              <td className="pl-2 text-right whitespace-nowrap tabular-nums">
                {emptyWords(point) ?? formatCount(point.samples)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
