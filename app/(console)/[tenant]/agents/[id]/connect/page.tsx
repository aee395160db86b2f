import type { Metadata } from "next";
import { Guarded } from "@/app/(console)/guarded";
import { ConnectPage } from "@/components/agents/connect-page";
import { getAgent, getFirstCall } from "@/lib/agents/read";
import { perform } from "@/lib/audit/perform";
import { agentQuery, firstCallQuery } from "@/lib/client/agents";
import { baseUrl } from "@/lib/env";

export const metadata: Metadata = { title: "Connect" };

export default async function Page({ params }: { readonly params: Promise<{ tenant: string; id: string }> }) {
  const { tenant, id } = await params;
  return (
    <Guarded
      tenant={tenant}
      what="This agent"
      needs="agents:read"
      load={(client, ctx) => [
        client.query({
          ...agentQuery(tenant, id),
          queryFn: () => perform(getAgent, ctx, { id }),
          retry: false,
        }),
        // What came before the page: a call that comes while it is drawn is news already.
        client.query({
          ...firstCallQuery(tenant, id),
          queryFn: () => perform(getFirstCall, ctx, { id }),
          retry: false,
        }),
      ]}
    >
      <ConnectPage tenant={tenant} id={id} baseUrl={baseUrl()} />
    </Guarded>
  );
}
