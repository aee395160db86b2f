import { formatCount, formatDuration, formatShare } from "@/components/ui/format";
import type { OverviewView } from "@/lib/metrics/schemas";

export function Totals({ totals }: { readonly totals: OverviewView["totals"] }) {
  const figures = [
    ["Calls", formatCount(totals.calls)],
    ["Allowed", formatCount(totals.allowed)],
    ["Denied", formatCount(totals.denied)],
    ["Error rate", formatShare(totals.errorRate)],
    ["Availability", formatShare(totals.availability)],
    ["Callers hit", formatCount(totals.callersHit)],
    ["P50", formatDuration(totals.p50Ms)],
    ["P95", formatDuration(totals.p95Ms)],
    ["P99", formatDuration(totals.p99Ms)],
  ] as const;
  return (
    <dl className="flex flex-wrap gap-px overflow-hidden rounded-md border border-line bg-line">
      {figures.map(([name, value]) => (
        <div key={name} className="min-w-[100px] flex-1 bg-page px-3 py-2">
          <dt className="text-xs text-muted">{name}</dt>
          <dd className="text-lg tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
