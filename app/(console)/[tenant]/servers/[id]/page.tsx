import type { Metadata } from "next";
import { Guarded } from "@/app/(console)/guarded";
import { ServerPage } from "@/components/servers/server-page";
import { perform } from "@/lib/audit/perform";
import { handlingQuery } from "@/lib/client/limits";
import { serverQuery } from "@/lib/client/servers";
import { getServerHandling } from "@/lib/limits/read";
import { getServer } from "@/lib/servers/read";

export const metadata: Metadata = { title: "Server" };

export default async function Page({ params }: { readonly params: Promise<{ tenant: string; id: string }> }) {
  const { tenant, id } = await params;
  return (
    <Guarded
      tenant={tenant}
      what="This server"
      needs="servers:read"
      load={(client, ctx) => [
        client.query({
          ...serverQuery(tenant, id),
          queryFn: () => perform(getServer, ctx, { id }),
          retry: false,
        }),
        client.query({
          ...handlingQuery(tenant, id),
          queryFn: () => perform(getServerHandling, ctx, { id }),
          retry: false,
        }),
      ]}
    >
      <ServerPage tenant={tenant} id={id} />
    </Guarded>
  );
}
