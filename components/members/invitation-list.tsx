"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { ErrorState } from "@/components/ui/error-state";
import { FormError } from "@/components/ui/form-error";
import { Section } from "@/components/ui/section";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { Time } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";
import { invitationsQuery, memberKeys, revokeInvitation } from "@/lib/client/members";
import type { InvitationView } from "@/lib/members/schemas";

/** Invitations that wait. */
export function InvitationList({ tenant }: { readonly tenant: string }) {
  const invitations = useQuery(invitationsQuery(tenant));
  const mayWrite = useMay("members:write");
  const [revoking, setRevoking] = useState<InvitationView | null>(null);
  if (invitations.error) return <ErrorState error={invitations.error} onRetry={invitations.refetch} />;
  if (!invitations.data || invitations.data.length === 0) return null;
  return (
    <Section title="Invitations" note="They are accepted by signing in by SSO with the same address.">
      <Table aria-label="Invitations">
        <Thead>
          <tr>
            <Th>E-mail</Th>
            <Th>Roles</Th>
            <Th>Invited by</Th>
            <Th>Invited</Th>
            <Th>Expires</Th>
            <Th>
              <span className="sr-only">Actions</span>
            </Th>
          </tr>
        </Thead>
        <Tbody>
          {invitations.data.map((invitation) => (
            <Tr key={invitation.id}>
              <Td primary>{invitation.email}</Td>
              <Td>{invitation.roles.join(", ")}</Td>
              <Td label="by">{invitation.invitedBy}</Td>
              <Td label="invited">
                <Time iso={invitation.createdAt} />
              </Td>
              <Td label="expires">
                <Time iso={invitation.expiresAt} />
              </Td>
              <Td className="text-right">
                {mayWrite ? (
                  <Button
                    size="sm"
                    aria-label={`Revoke the invitation of ${invitation.email}`}
                    onClick={() => setRevoking(invitation)}
                  >
                    Revoke
                  </Button>
                ) : null}
              </Td>
            </Tr>
          ))}
        </Tbody>
      </Table>
      {revoking ? <RevokeInvitation tenant={tenant} invitation={revoking} onClose={() => setRevoking(null)} /> : null}
    </Section>
  );
}

function RevokeInvitation({
  tenant,
  invitation,
  onClose,
}: {
  readonly tenant: string;
  readonly invitation: InvitationView;
  readonly onClose: () => void;
}) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeInvitation(tenant, invitation.id),
    onSuccess: async () => {
      toast.success(`The invitation of ${invitation.email} is revoked.`);
      await client.invalidateQueries({ queryKey: memberKeys.invitations(tenant) });
      onClose();
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Revoke the invitation of ${invitation.email}`}
      description="They can no longer join with it. You can invite them again."
      action="Revoke invitation"
      danger
      pending={revoke.isPending}
      onConfirm={() => revoke.mutate()}
    >
      <FormError>{revoke.error ? problemText(revoke.error) : null}</FormError>
    </ConfirmDialog>
  );
}
