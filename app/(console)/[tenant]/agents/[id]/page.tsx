import type { Metadata } from "next";
import { Guarded } from "@/app/(console)/guarded";
import { AgentPage } from "@/components/agents/agent-page";
import { getAgent } from "@/lib/agents/read";
import { perform } from "@/lib/audit/perform";
import { agentQuery } from "@/lib/client/agents";
import { limitsQuery } from "@/lib/client/limits";
import { getTenantLimits } from "@/lib/limits/read";

export const metadata: Metadata = { title: "Agent" };

export default async function Page({ params }: { readonly params: Promise<{ tenant: string; id: string }> }) {
  const { tenant, id } = await params;
  return (
    <Guarded
      tenant={tenant}
      what="This agent"
      needs="agents:read"
      load={(client, ctx, may) => [
        client.query({
          ...agentQuery(tenant, id),
          queryFn: () => perform(getAgent, ctx, { id }),
          retry: false,
        }),
        ...(may("tenant:read")
          ? [client.query({ ...limitsQuery(tenant), queryFn: () => perform(getTenantLimits, ctx, {}), retry: false })]
          : []),
      ]}
    >
      <AgentPage tenant={tenant} id={id} />
    </Guarded>
  );
}
