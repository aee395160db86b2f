"use client";
import { ZoneBadges } from "@/components/shell/zone-badges";
import { Button } from "@/components/ui/button";
import { formatCount } from "@/components/ui/format";
import { Status } from "@/components/ui/status";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { Time } from "@/components/ui/time";
import type { TenantView } from "@/lib/tenants/schemas";

/** One line per tenant. */
export function TenantTable({
  tenants,
  onSwitch,
}: {
  readonly tenants: readonly TenantView[];
  readonly onSwitch: (tenant: TenantView) => void;
}) {
  return (
    <Table aria-label="Tenants">
      <Thead>
        <tr>
          <Th>Name</Th>
          <Th>Status</Th>
          <Th>Zones</Th>
          <Th>Residency</Th>
          <Th numeric>Members</Th>
          <Th numeric>Servers</Th>
          <Th numeric>Agents</Th>
          <Th>Created</Th>
          <Th>
            <span className="sr-only">Actions</span>
          </Th>
        </tr>
      </Thead>
      <Tbody>
        {tenants.map((tenant) => (
          <Tr key={tenant.id}>
            <Td primary>
              <span className="font-medium">{tenant.name}</span>{" "}
              <code className="font-mono text-xs text-muted">{tenant.slug}</code>
            </Td>
            <Td>
              <Status state={tenant.status} />
            </Td>
            <Td>
              <ZoneBadges zones={tenant.zones} />
            </Td>
            <Td>{tenant.residency.toUpperCase()}</Td>
            <Td numeric label="members">
              {formatCount(tenant.memberCount)}
            </Td>
            <Td numeric label="servers">
              {formatCount(tenant.serverCount)}
            </Td>
            <Td numeric label="agents">
              {formatCount(tenant.agentCount)}
            </Td>
            <Td>
              <Time iso={tenant.createdAt} />
            </Td>
            <Td className="text-right">
              <Button
                size="sm"
                aria-label={`${tenant.status === "active" ? "Suspend" : "Resume"} ${tenant.name}`}
                onClick={() => onSwitch(tenant)}
              >
                {tenant.status === "active" ? "Suspend" : "Resume"}
              </Button>
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}
