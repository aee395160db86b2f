import type { Metadata } from "next";
import { Guarded } from "@/app/(console)/guarded";
import { ServersPage } from "@/components/servers/servers-page";
import { perform } from "@/lib/audit/perform";
import { serversQuery } from "@/lib/client/servers";
import { listServers } from "@/lib/servers/read";

export const metadata: Metadata = { title: "Servers" };

export default async function Page({ params }: { readonly params: Promise<{ tenant: string }> }) {
  const { tenant } = await params;
  return (
    <Guarded
      tenant={tenant}
      what="Servers"
      needs="servers:read"
      load={(client, ctx) => [
        client.query({ ...serversQuery(tenant), queryFn: () => perform(listServers, ctx, {}), retry: false }),
      ]}
    >
      <ServersPage tenant={tenant} />
    </Guarded>
  );
}
