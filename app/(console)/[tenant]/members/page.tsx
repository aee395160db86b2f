import type { Metadata } from "next";
import { Guarded } from "@/app/(console)/guarded";
import { MembersPage } from "@/components/members/members-page";
import { perform } from "@/lib/audit/perform";
import { itemsOf } from "@/lib/client/api";
import { invitationsQuery, membersQuery } from "@/lib/client/members";
import { listInvitations, listMembers } from "@/lib/members/read";

export const metadata: Metadata = { title: "Members" };

export default async function Page({ params }: { readonly params: Promise<{ tenant: string }> }) {
  const { tenant } = await params;
  return (
    <Guarded
      tenant={tenant}
      what="Members"
      needs="members:read"
      load={(client, ctx) => [
        client.query({
          ...membersQuery(tenant),
          queryFn: async () => itemsOf(await perform(listMembers, ctx, {})),
          retry: false,
        }),
        client.query({
          ...invitationsQuery(tenant),
          queryFn: async () => itemsOf(await perform(listInvitations, ctx, {})),
          retry: false,
        }),
      ]}
    >
      <MembersPage tenant={tenant} />
    </Guarded>
  );
}
