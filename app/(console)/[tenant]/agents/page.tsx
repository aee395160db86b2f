import type { Metadata } from "next";
import { Guarded } from "@/app/(console)/guarded";
import { AgentsPage } from "@/components/agents/agents-page";
import { listAgents } from "@/lib/agents/read";
import { perform } from "@/lib/audit/perform";
import { agentsQuery } from "@/lib/client/agents";

export const metadata: Metadata = { title: "Agents" };

export default async function Page({ params }: { readonly params: Promise<{ tenant: string }> }) {
  const { tenant } = await params;
  return (
    <Guarded
      tenant={tenant}
      what="Agents"
      needs="agents:read"
      load={(client, ctx) => [
        client.query({ ...agentsQuery(tenant), queryFn: () => perform(listAgents, ctx, {}), retry: false }),
      ]}
    >
      <AgentsPage tenant={tenant} />
    </Guarded>
  );
}
