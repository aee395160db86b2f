import type { Metadata } from "next";
import { Guarded } from "@/app/(console)/guarded";
import { ToolPage } from "@/components/servers/tool-page";
import { perform } from "@/lib/audit/perform";
import { serverQuery } from "@/lib/client/servers";
import { getServer } from "@/lib/servers/read";

export const metadata: Metadata = { title: "Tool" };

type Props = { readonly params: Promise<{ tenant: string; id: string; tool: string }> };

export default async function Page({ params }: Props) {
  const { tenant, id, tool } = await params;
  return (
    <Guarded
      tenant={tenant}
      what="This tool"
      needs="servers:read"
      load={(client, ctx) => [
        client.query({
          ...serverQuery(tenant, id),
          queryFn: () => perform(getServer, ctx, { id }),
          retry: false,
        }),
      ]}
    >
      <ToolPage tenant={tenant} id={id} name={decodeURIComponent(tool)} />
    </Guarded>
  );
}
