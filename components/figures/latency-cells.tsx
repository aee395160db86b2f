import { formatDuration } from "@/components/ui/format";
import { Td } from "@/components/ui/table";

type Latency = { readonly p50Ms: number | null; readonly p95Ms: number | null; readonly p99Ms: number | null };

const SHOWN = [
  { label: "P50", of: (row: Latency) => row.p50Ms },
  { label: "P95", of: (row: Latency) => row.p95Ms },
  { label: "P99", of: (row: Latency) => row.p99Ms },
];

/** How long the calls of a row took. */
export function LatencyCells({ row }: { readonly row: Latency }) {
  return SHOWN.map(({ label, of }) => (
    <Td key={label} numeric label={label} className="font-mono text-xs">
      {formatDuration(of(row))}
    </Td>
  ));
}
