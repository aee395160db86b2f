"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSessionActs } from "@/components/shell/use-session-acts";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { FormError } from "@/components/ui/form-error";
import { SkeletonRows } from "@/components/ui/skeleton";
import { toast } from "@/components/ui/toast";
import type { OwnSessionView } from "@/lib/auth/schemas";
import { problemText } from "@/lib/client/form-issues";
import { endOtherSessions, endOwnSession, ownSessionsQuery, sessionKeys } from "@/lib/client/session";
import { browserWords } from "./browser-words";
import { SessionList } from "./session-list";

/** Where one is signed in; each can be ended. */
export function OwnSessionsDialog({ onClose }: { readonly onClose: () => void }) {
  const client = useQueryClient();
  const sessions = useQuery({ ...ownSessionsQuery(), staleTime: 0 });
  const { signOut } = useSessionActs();
  // Also where it failed: what is no longer open is to leave the list.
  const onSettled = () => client.invalidateQueries({ queryKey: sessionKeys.own });
  const end = useMutation({
    mutationFn: ({ id }: OwnSessionView) => endOwnSession(id),
    onSuccess: (_, { userAgent }) => toast.success(`The session of ${browserWords(userAgent)} is ended.`),
    onSettled,
  });
  const endOthers = useMutation({
    mutationFn: endOtherSessions,
    onSuccess: ({ ended }) => toast.success(ended === 1 ? "One session is ended." : `${ended} sessions are ended.`),
    onSettled,
  });
  const failed = end.error ?? endOthers.error;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Your sessions"
      description="Where you are signed in. A session that you end is signed out with its next request. The address is where you signed in or last switched tenants."
      footer={
        <Button
          variant="danger"
          pending={endOthers.isPending}
          disabled={!sessions.data?.some(({ current }) => !current)}
          onClick={() => endOthers.mutate()}
        >
          End all others
        </Button>
      }
    >
      {sessions.error ? (
        <ErrorState error={sessions.error} onRetry={sessions.refetch} />
      ) : sessions.data ? (
        <SessionList
          label="Your sessions"
          sessions={sessions.data}
          actionOf={(session) =>
            session.current ? (
              <Button size="sm" onClick={signOut}>
                Sign out
              </Button>
            ) : (
              <Button
                size="sm"
                aria-label={`End the session of ${browserWords(session.userAgent)}`}
                pending={end.isPending && end.variables.id === session.id}
                onClick={() => end.mutate(session)}
              >
                End
              </Button>
            )
          }
        />
      ) : (
        <SkeletonRows label="Loading sessions" />
      )}
      <FormError>{failed ? problemText(failed) : null}</FormError>
    </Dialog>
  );
}
