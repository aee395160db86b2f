import type { Metadata } from "next";
import { Guarded } from "@/app/(console)/guarded";
import { AccessPage } from "@/components/access/access-page";
import { getAccessMatrix, getPermissionMap } from "@/lib/access/read";
import { perform } from "@/lib/audit/perform";
import { accessMatrixQuery, permissionMapQuery } from "@/lib/client/access";

export const metadata: Metadata = { title: "Access" };

export default async function Page({ params }: { readonly params: Promise<{ tenant: string }> }) {
  const { tenant } = await params;
  return (
    <Guarded
      tenant={tenant}
      what="Access"
      needs="access:read"
      load={(client, ctx) => [
        client.query({
          ...permissionMapQuery(tenant),
          queryFn: () => perform(getPermissionMap, ctx, {}),
          retry: false,
        }),
        client.query({
          ...accessMatrixQuery(tenant),
          queryFn: () => perform(getAccessMatrix, ctx, {}),
          retry: false,
        }),
      ]}
    >
      <AccessPage tenant={tenant} />
    </Guarded>
  );
}
