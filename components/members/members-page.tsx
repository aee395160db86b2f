"use client";
import { useQuery } from "@tanstack/react-query";
import { UserPlus } from "lucide-react";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { PageHeader } from "@/components/ui/page-header";
import { SkeletonRows } from "@/components/ui/skeleton";
import { membersQuery } from "@/lib/client/members";
import { InvitationList } from "./invitation-list";
import { InviteDialog } from "./invite-dialog";
import { MemberTable } from "./member-table";

/** The people of this tenant and those who were asked to come. */
export function MembersPage({ tenant }: { readonly tenant: string }) {
  const members = useQuery(membersQuery(tenant));
  const mayWrite = useMay("members:write");
  const [inviting, setInviting] = useState(false);
  return (
    <>
      <PageHeader
        title="Members"
        purpose="People sign in by SSO; their roles decide what they see and do here."
        actions={
          mayWrite ? (
            <Button variant="primary" onClick={() => setInviting(true)}>
              <UserPlus aria-hidden />
              Invite member
            </Button>
          ) : null
        }
      />
      {members.error ? (
        <ErrorState error={members.error} onRetry={members.refetch} />
      ) : members.data ? (
        <MemberTable tenant={tenant} members={members.data} />
      ) : (
        <SkeletonRows label="Loading members" />
      )}
      <InvitationList tenant={tenant} />
      {inviting ? <InviteDialog tenant={tenant} onClose={() => setInviting(false)} /> : null}
    </>
  );
}
