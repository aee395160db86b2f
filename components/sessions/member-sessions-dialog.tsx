"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Textarea } from "@/components/ui/textarea";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";
import { memberKeys } from "@/lib/client/members";
import { endMemberSessions, memberSessionsQuery, sessionKeys } from "@/lib/client/session";
import type { MemberView } from "@/lib/members/schemas";
import { SessionList } from "./session-list";

type Props = {
  readonly tenant: string;
  readonly member: MemberView;
  /** The one who looks is the member. */
  readonly self: boolean;
  readonly onClose: () => void;
};

/** Where a member is signed in to this tenant, and the end of it. */
export function MemberSessionsDialog({ tenant, member, self, onClose }: Props) {
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  const sessions = useQuery({ ...memberSessionsQuery(tenant, member.id), staleTime: 0 });
  const end = useMutation({
    mutationFn: () => endMemberSessions(tenant, { id: member.id, reason: reason.trim() }),
    onSuccess: async ({ ended }) => {
      toast.success(`${ended === 1 ? "One session" : `${ended} sessions`} of ${member.name} ended.`);
      // One's own session may be among them; then asking again leads to the sign-in.
      await client.invalidateQueries({ queryKey: memberKeys.all(tenant) });
      onClose();
    },
    onError: () => client.invalidateQueries({ queryKey: sessionKeys.of(tenant, member.id) }),
  });
  const open = sessions.data ?? [];
  return (
    <Dialog
      open
      onOpenChange={(next) => !next && onClose()}
      title={`Sessions of ${member.name}`}
      description="Those in which this tenant is the active one. They can sign in again: to keep somebody out, suspend them."
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button
            variant="danger"
            pending={end.isPending}
            disabled={open.length === 0 || reason.trim().length < 3}
            onClick={() => end.mutate()}
          >
            End all sessions
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {sessions.error ? (
          <ErrorState error={sessions.error} onRetry={sessions.refetch} />
        ) : !sessions.data ? (
          <SkeletonRows label="Loading sessions" />
        ) : open.length === 0 ? (
          <p className="text-sm text-muted">No session is open here.</p>
        ) : (
          <>
            <SessionList label={`Sessions of ${member.name}`} sessions={open} />
            {self ? <p className="text-sm">If the one that you are using is among them, you are signed out.</p> : null}
            <Field label="Reason" hint="Recorded in the audit trail.">
              <Textarea rows={2} value={reason} onChange={(event) => setReason(event.target.value)} />
            </Field>
          </>
        )}
        <FormError>{end.error ? problemText(end.error) : null}</FormError>
      </div>
    </Dialog>
  );
}
