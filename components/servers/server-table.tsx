"use client";
import Link from "next/link";
import { cn } from "@/components/ui/cn";
import { formatDuration } from "@/components/ui/format";
import { Status } from "@/components/ui/status";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import type { ServerView } from "@/lib/servers/schemas";
import { CircuitStatus } from "./circuit-status";
import { ReviewBadge } from "./definition-review";
import { HealthStatus } from "./health-status";

/** One line per server. */
export function ServerTable({ tenant, servers }: { readonly tenant: string; readonly servers: readonly ServerView[] }) {
  return (
    <Table aria-label="Servers">
      <Thead>
        <tr>
          <Th>Name</Th>
          <Th>Status</Th>
          <Th>Health</Th>
          <Th>Circuit</Th>
          <Th>Transport</Th>
          <Th>Address</Th>
          <Th numeric>Tools</Th>
          <Th numeric>Mapped</Th>
          <Th numeric>Connect</Th>
        </tr>
      </Thead>
      <Tbody>
        {servers.map((server) => (
          <Tr key={server.id}>
            <Td primary>
              <Link
                href={`/${tenant}/servers/${server.id}`}
                className="font-medium text-accent-text underline-offset-2 hover:underline"
              >
                {server.name}
              </Link>{" "}
              <code className="font-mono text-xs text-muted">{server.slug}</code>{" "}
              <ReviewBadge held={server.heldToolCount} added={server.newToolCount} />
            </Td>
            <Td>
              <Status state={server.status} />
            </Td>
            <Td label="health">{server.status === "enabled" ? <HealthStatus health={server.health} /> : "–"}</Td>
            <Td label="circuit">
              <CircuitStatus circuit={server.circuit} />
            </Td>
            <Td>{server.transport}</Td>
            <Td hideNarrow className="max-w-72">
              <code className="block truncate font-mono text-xs" title={server.address}>
                {server.address}
              </code>
            </Td>
            <Td numeric label="tools">
              {server.toolCount}
            </Td>
            <Td
              numeric
              label="mapped"
              className={cn(server.mappedToolCount < server.toolCount && "text-warn")}
              title={
                server.mappedToolCount < server.toolCount
                  ? `${server.toolCount - server.mappedToolCount} unmapped tools need admin:*`
                  : undefined
              }
            >
              {server.mappedToolCount}
            </Td>
            <Td numeric label="connect">
              {formatDuration(server.probe?.connectMs ?? null)}
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}
