"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useMay } from "@/components/shell/me-context";
import { ErrorState } from "@/components/ui/error-state";
import { formatCount } from "@/components/ui/format";
import { Note } from "@/components/ui/note";
import { Section } from "@/components/ui/section";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { rolesQuery } from "@/lib/client/members";
import type { ServerToolView } from "@/lib/servers/schemas";
import { whoMay } from "./who-may";

type Props = { readonly tenant: string; readonly server: string; readonly tool: ServerToolView };

function Links({ tenant, server, tool }: Props) {
  const look = "text-accent-text underline underline-offset-2";
  return (
    <p className="flex flex-wrap gap-x-4 text-sm">
      <Link className={look} href={`/${tenant}/access?tab=map&server=${server}&q=${encodeURIComponent(tool.name)}`}>
        Its mapping
      </Link>
      <Link
        className={look}
        href={`/${tenant}/access?tab=explain&tool=${encodeURIComponent(`${server}/${tool.name}`)}`}
      >
        Explain a decision
      </Link>
    </p>
  );
}

function Roles({ tenant, tool }: Pick<Props, "tenant" | "tool">) {
  const roles = useQuery(rolesQuery(tenant));
  if (roles.error) return <ErrorState error={roles.error} onRetry={roles.refetch} />;
  if (!roles.data) return <SkeletonRows rows={3} label="Loading roles" />;
  const holders = whoMay(tool.permission, roles.data);
  if (holders.length === 0) return <Note>No role holds it: nobody may call this tool.</Note>;
  return (
    <Table aria-label="Roles that may call it">
      <Thead>
        <tr>
          <Th>Role</Th>
          <Th>Because it holds</Th>
          <Th numeric>Agents</Th>
          <Th numeric>Members</Th>
        </tr>
      </Thead>
      <Tbody>
        {holders.map(({ role, via }) => (
          <Tr key={role.slug}>
            <Td primary>{role.name}</Td>
            <Td className="font-mono text-xs">{via}</Td>
            <Td numeric label="agents">
              {formatCount(role.agentCount)}
            </Td>
            <Td numeric label="members">
              {formatCount(role.memberCount)}
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

/** Who may call the tool. Grants to single agents, limits and kill switches come on top: explain tells of one agent. */
export function ToolAccess({ tenant, server, tool }: Props) {
  const may = useMay("access:read");
  return (
    <Section title="Who may call it" note="By role. What one agent may is what the explanation of its decision says.">
      {may ? (
        <>
          <Roles tenant={tenant} tool={tool} />
          <Links tenant={tenant} server={server} tool={tool} />
        </>
      ) : (
        <p className="text-sm text-muted">Needs the permission access:read, which none of your roles here holds.</p>
      )}
    </Section>
  );
}
