import Link from "next/link";
import { LatencyCells } from "@/components/figures/latency-cells";
import { LightStatus } from "@/components/overview/light-status";
import { trailHref } from "@/components/overview/overview-links";
import { formatCount, formatShare } from "@/components/ui/format";
import { Status } from "@/components/ui/status";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { queryString } from "@/lib/client/api";
import type { MetricsWindow } from "@/lib/client/metrics";
import type { LightView, ServerFigures } from "@/lib/metrics/schemas";

type Props = {
  readonly tenant: string;
  readonly window: MetricsWindow;
  readonly servers: readonly ServerFigures[];
  readonly lights: ReadonlyMap<string, LightView>;
  /** Ids of the servers one may open. */
  readonly serverIds: ReadonlyMap<string, string>;
  readonly mayReadAudit: boolean;
};
type RowProps = Omit<Props, "servers"> & { readonly row: ServerFigures };

const LINK = "inline-flex min-h-6 items-center text-accent-text hover:underline";

/** Every server: its light now, and what its calls did in the window. */
export function ServerFiguresTable({ servers, ...shared }: Props) {
  return (
    <section aria-labelledby="by-server" className="flex flex-col gap-2">
      <h2 id="by-server" className="text-base font-semibold">
        By server
      </h2>
      <Table label="Figures by server">
        <Thead>
          <Tr>
            <Th>Server</Th>
            <Th>Light now</Th>
            <Th>Circuit</Th>
            <Th numeric>Calls</Th>
            <Th numeric>Denied</Th>
            <Th numeric>Failed</Th>
            <Th numeric>Error rate</Th>
            <Th numeric>Callers hit</Th>
            <Th numeric>P50</Th>
            <Th numeric>P95</Th>
            <Th numeric>P99</Th>
            <Th>
              <span className="sr-only">Entries</span>
            </Th>
          </Tr>
        </Thead>
        <Tbody>
          {servers.map((row) => (
            <ServerRow key={row.server} row={row} {...shared} />
          ))}
        </Tbody>
      </Table>
    </section>
  );
}

function ServerName({ tenant, window, serverIds, row }: RowProps) {
  const id = serverIds.get(row.server);
  if (id === undefined) return row.server;
  const asked = typeof window === "string" ? { range: window } : window;
  return (
    <Link href={`/${tenant}/servers/${id}${queryString({ tab: "figures", ...asked })}`} className={LINK}>
      {row.server}
    </Link>
  );
}

function ServerRow(props: RowProps) {
  const { tenant, window, row, lights, mayReadAudit } = props;
  const light = lights.get(row.server);
  return (
    <Tr>
      <Td primary>
        <ServerName {...props} />
        {row.calls === 0 ? <span className="ml-2 text-xs text-muted">no traffic</span> : null}
      </Td>
      <Td label="light">{light === undefined ? "–" : <LightStatus light={light} />}</Td>
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
      <Td numeric label="callers hit">
        {formatCount(row.callersHit)}
      </Td>
      <LatencyCells row={row} />
      <Td className="text-right">
        {mayReadAudit ? (
          <Link href={trailHref(tenant, window, { server: row.server })} className={LINK}>
            Entries
            <span className="sr-only"> of {row.server}</span>
          </Link>
        ) : null}
      </Td>
    </Tr>
  );
}
