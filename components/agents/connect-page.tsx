"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Note } from "@/components/ui/note";
import { PageHeader } from "@/components/ui/page-header";
import { Section } from "@/components/ui/section";
import { Select } from "@/components/ui/select";
import { SkeletonRows } from "@/components/ui/skeleton";
import { CONNECT_CLIENTS, connectSnippets } from "@/lib/agents/connect-snippets";
import { agentQuery } from "@/lib/client/agents";
import { ConnectKey } from "./connect-key";
import { ConnectSnippetView } from "./connect-snippet-view";
import { FirstCall } from "./first-call";
import { Troubleshooting } from "./troubleshooting-list";

const PLACEHOLDER = "cs_YOUR_KEY";

/** From an agent to its first call: choose the client, mint a key, copy, and see the call arrive. */
export function ConnectPage({
  tenant,
  id,
  baseUrl,
}: {
  readonly tenant: string;
  readonly id: string;
  readonly baseUrl: string;
}) {
  const query = useQuery(agentQuery(tenant, id));
  const [{ client, server }, set] = useQueryStates({
    client: parseAsStringLiteral(CONNECT_CLIENTS).withDefault("claude-code"),
    server: parseAsString.withDefault(""),
  });
  // The secret lives in this page's memory only: not in the URL, not in storage.
  const [secret, setSecret] = useState<string | null>(null);
  if (query.error) return <ErrorState error={query.error} onRetry={query.refetch} />;
  const agent = query.data;
  if (!agent) return <SkeletonRows label="Loading the agent" />;
  const servers = [...new Set(agent.tools.map((tool) => tool.server))];
  const snippets = connectSnippets({ baseUrl, key: secret ?? PLACEHOLDER, ...(server ? { serverSlug: server } : {}) });
  const snippet = snippets.find((candidate) => candidate.client === client);
  const allowed = agent.tools.filter((tool) => tool.allowed).length;
  return (
    <>
      <PageHeader
        title={`Connect ${agent.name}`}
        purpose={`It may call ${allowed} of ${agent.tools.length} tools.`}
        actions={
          <Button asChild>
            <Link href={`/${tenant}/agents/${agent.id}`}>Open the agent</Link>
          </Button>
        }
      />
      {agent.status === "suspended" ? (
        <Note tone="warn">This agent is suspended: its keys are refused until it is resumed.</Note>
      ) : null}
      {allowed === 0 ? (
        <Note tone="warn">
          It may call nothing yet, so a client will connect and see no tools. Give it a role first.
        </Note>
      ) : null}
      <div className="grid gap-8 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <div className="flex min-w-0 flex-col gap-8">
          <Section title="1. A key">
            <ConnectKey tenant={tenant} agent={agent} secret={secret} onSecret={setSecret} />
          </Section>
          <Section title="2. Your client">
            <div className="grid gap-4 sm:grid-cols-2">
              <Field label="Client">
                <Select
                  value={client}
                  onValueChange={(next) => set({ client: CONNECT_CLIENTS.find((known) => known === next) ?? null })}
                  options={snippets.map((option) => ({ value: option.client, label: option.title }))}
                />
              </Field>
              <Field label="Door" hint="The joint door names tools server__tool.">
                <Select
                  value={server}
                  onValueChange={(next) => set({ server: next || null })}
                  options={[
                    { value: "", label: "All servers" },
                    ...servers.map((slug) => ({ value: slug, label: `Only ${slug}` })),
                  ]}
                />
              </Field>
            </div>
            {snippet ? <ConnectSnippetView snippet={snippet} keyKnown={secret !== null} /> : null}
          </Section>
        </div>
        <div className="flex min-w-0 flex-col gap-8">
          <Section title="3. The first call">
            <FirstCall tenant={tenant} id={agent.id} />
          </Section>
          <Section title="If it does not work">
            <Troubleshooting />
          </Section>
        </div>
      </div>
    </>
  );
}
