"use client";
import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { PageHeader } from "@/components/ui/page-header";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Status } from "@/components/ui/status";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { Time } from "@/components/ui/time";
import type { AgentView } from "@/lib/agents/schemas";
import { agentsQuery } from "@/lib/client/agents";
import { CreateAgentDialog } from "./create-agent-dialog";

/** The software callers of this tenant. */
export function AgentsPage({ tenant }: { readonly tenant: string }) {
  const agents = useQuery(agentsQuery(tenant));
  const mayWrite = useMay("agents:write");
  const [creating, setCreating] = useState(false);
  const create = mayWrite ? (
    <Button variant="primary" onClick={() => setCreating(true)}>
      <Plus aria-hidden />
      Create agent
    </Button>
  ) : null;
  return (
    <>
      <PageHeader
        title="Agents"
        purpose="The software that calls tools through the gateway, each with an owner and a key."
        actions={create}
      />
      {agents.error ? (
        <ErrorState error={agents.error} onRetry={agents.refetch} />
      ) : !agents.data ? (
        <SkeletonRows label="Loading agents" />
      ) : agents.data.length === 0 ? (
        <EmptyState
          title="No agents yet"
          why={
            mayWrite
              ? "Create an agent, give it a role and connect your client with its key."
              : "Nobody has created an agent. It takes the permission agents:write."
          }
          action={create}
        />
      ) : (
        <AgentTable tenant={tenant} agents={agents.data} />
      )}
      {creating ? <CreateAgentDialog tenant={tenant} onClose={() => setCreating(false)} /> : null}
    </>
  );
}

function AgentTable({ tenant, agents }: { readonly tenant: string; readonly agents: readonly AgentView[] }) {
  return (
    <Table aria-label="Agents">
      <Thead>
        <tr>
          <Th>Name</Th>
          <Th>Status</Th>
          <Th>Roles</Th>
          <Th>Owner</Th>
          <Th numeric>Keys</Th>
          <Th>Last call</Th>
        </tr>
      </Thead>
      <Tbody>
        {agents.map((agent) => (
          <Tr key={agent.id}>
            <Td primary>
              <Link
                className="font-medium text-accent-text underline-offset-2 hover:underline"
                href={`/${tenant}/agents/${agent.id}`}
              >
                {agent.name}
              </Link>{" "}
              <code className="font-mono text-xs text-muted">{agent.slug}</code>
            </Td>
            <Td>
              <Status state={agent.status} />
            </Td>
            <Td>{agent.roles.join(", ") || <span className="text-muted">none</span>}</Td>
            <Td label="owner" title={agent.owner.email}>
              {agent.owner.name}
            </Td>
            <Td numeric label="keys">
              {agent.activeKeys}
            </Td>
            <Td label="last call">
              {agent.lastCallAt ? <Time iso={agent.lastCallAt} /> : <span className="text-muted">never</span>}
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}
