import Link from "next/link";
import { formatCount, formatDuration, formatShare } from "@/components/ui/format";
import { Status } from "@/components/ui/status";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { queryString } from "@/lib/client/api";
import type { OverviewRange, ServerFigures } from "@/lib/metrics/schemas";

type Props = {
  readonly tenant: string;
  readonly range: OverviewRange;
  readonly servers: readonly ServerFigures[];
  readonly mayReadAudit: boolean;
};

export function ServerFiguresTable({ tenant, range, servers, mayReadAudit }: Props) {
  return (
    <section aria-labelledby="by-server" className="flex flex-col gap-2">
      <h2 id="by-server" className="text-base font-semibold">
        By server
      </h2>
      <Table label="Figures by server">
        <Thead>
          <Tr>
            <Th>Server</Th>
            <Th>Circuit</Th>
            <Th numeric>Calls</Th>
            <Th numeric>Denied</Th>
            <Th numeric>Failed</Th>
            <Th numeric>Error rate</Th>
            <Th numeric>P50</Th>
            <Th numeric>P95</Th>
            <Th numeric>P99</Th>
          </Tr>
        </Thead>
        <Tbody>
          {servers.map((row) => (
            <Tr key={row.server}>
              <Td primary>
                {mayReadAudit ? (
                  <Link
                    href={`/${tenant}/audit${queryString({ range, server: row.server })}`}
                    className="inline-flex min-h-6 items-center text-accent-text hover:underline"
                  >
                    {row.server}
                  </Link>
                ) : (
                  row.server
                )}
                {row.calls === 0 ? <span className="ml-2 text-xs text-muted">no traffic</span> : null}
              </Td>
              <Td label="circuit">
                <Status state={row.circuit} />
              </Td>
              <Td numeric label="calls">
                {formatCount(row.calls)}
              </Td>
              <Td numeric label="denied">
                {formatCount(row.denied)}
              </Td>
              <Td numeric label="failed">
                {formatCount(row.failures)}
              </Td>
              <Td numeric label="errors">
                {formatShare(row.errorRate)}
              </Td>
              <Td numeric label="P50" className="font-mono text-xs">
                {formatDuration(row.p50Ms)}
              </Td>
              <Td numeric label="P95" className="font-mono text-xs">
                {formatDuration(row.p95Ms)}
              </Td>
              <Td numeric label="P99" className="font-mono text-xs">
                {formatDuration(row.p99Ms)}
              </Td>
            </Tr>
          ))}
        </Tbody>
      </Table>
    </section>
  );
}
