import { formatCount, formatDuration, formatShare } from "@/components/ui/format";
import type { StatisticsRow } from "@/lib/metrics/schemas";

type Figure = readonly [name: string, value: string, note?: string];

/** Each percentile says of how many calls it is: one of three calls says little. */
function figuresOf(row: StatisticsRow | undefined): readonly Figure[] {
  const samples = `of ${formatCount(row?.samples ?? 0)}`;
  return [
    ["Calls", formatCount(row?.requests ?? 0)],
    ["Failed", formatCount(row?.failures ?? 0)],
    ["Denied", formatCount(row?.denied ?? 0)],
    ["Error rate", formatShare(row?.errorRate ?? null), samples],
    ["Availability", formatShare(row?.availability ?? null)],
    ["Mean", formatDuration(row?.meanMs ?? null), samples],
    ["P50", formatDuration(row?.p50Ms ?? null), samples],
    ["P95", formatDuration(row?.p95Ms ?? null), samples],
    ["P99", formatDuration(row?.p99Ms ?? null), samples],
    ...(row === undefined || row.callers === null || row.callersHit === null
      ? []
      : [["Callers hit", formatCount(row.callersHit), `of ${formatCount(row.callers)}`] as const]),
  ];
}

export function FigureTotals({ row }: { readonly row: StatisticsRow | undefined }) {
  return (
    <dl className="flex flex-wrap gap-px overflow-hidden rounded-md border border-line bg-line">
      {figuresOf(row).map(([name, value, note]) => (
        <div key={name} className="min-w-[100px] flex-1 bg-page px-3 py-2">
          <dt className="text-xs text-muted">{name}</dt>
          <dd className="text-lg whitespace-nowrap tabular-nums">{value}</dd>
          {note ? <dd className="text-xs text-muted tabular-nums">{note}</dd> : null}
        </div>
      ))}
    </dl>
  );
}
