"use client";
import { useQuery } from "@tanstack/react-query";
import { Cable } from "lucide-react";
import Link from "next/link";
import { KillButton } from "@/components/kill-switches/kill-button";
import { AgentLimit } from "@/components/limits/agent-limit";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Facts } from "@/components/ui/facts";
import { Id } from "@/components/ui/id";
import { PageHeader } from "@/components/ui/page-header";
import { Section } from "@/components/ui/section";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Status } from "@/components/ui/status";
import { Time } from "@/components/ui/time";
import { agentQuery } from "@/lib/client/agents";
import { AgentActions } from "./agent-actions";
import { AgentKeys } from "./agent-keys";
import { AgentTools } from "./agent-tools";

/** One agent: who answers for it, its keys, and what it may call. */
export function AgentPage({ tenant, id }: { readonly tenant: string; readonly id: string }) {
  const query = useQuery(agentQuery(tenant, id));
  if (query.error) return <ErrorState error={query.error} onRetry={query.refetch} />;
  const agent = query.data;
  if (!agent) return <SkeletonRows label="Loading the agent" />;
  return (
    <>
      <PageHeader
        title={agent.name}
        purpose={
          <span className="flex flex-wrap items-center gap-x-4">
            <code className="font-mono text-xs">{agent.slug}</code>
            <Status state={agent.status} />
            {agent.description ? <span>{agent.description}</span> : null}
          </span>
        }
        actions={
          <>
            <AgentActions tenant={tenant} agent={agent} />
            <KillButton tenant={tenant} kind="agent" target={agent.slug} name={agent.name} />
            <Button asChild variant="primary">
              <Link href={`/${tenant}/agents/${agent.id}/connect`}>
                <Cable aria-hidden />
                Connect
              </Link>
            </Button>
          </>
        }
      />
      <div className="grid gap-8 lg:grid-cols-[minmax(0,1fr)_minmax(0,2fr)]">
        <Section title="About">
          <Facts
            facts={[
              { name: "Owner", value: `${agent.owner.name} (${agent.owner.email})` },
              { name: "Roles", value: agent.roles.join(", ") || "none" },
              { name: "Created", value: <Time iso={agent.createdAt} show="both" /> },
              { name: "Last call", value: agent.lastCallAt ? <Time iso={agent.lastCallAt} show="both" /> : "never" },
              { name: "Id", value: <Id value={agent.id} label="agent id" /> },
            ]}
          />
          <Link
            className="text-sm text-accent-text underline underline-offset-2"
            href={`/${tenant}/audit?caller=${agent.slug}`}
          >
            Its entries in the trail
          </Link>
        </Section>
        <AgentKeys tenant={tenant} agent={agent} />
      </div>
      <AgentLimit tenant={tenant} agent={agent} />
      <AgentTools tenant={tenant} agent={agent} />
    </>
  );
}
