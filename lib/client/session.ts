import { queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import type {
  EndedSessions,
  endMemberSessionsInput,
  endPersonSessionsInput,
  OwnSessionView,
  SessionView,
} from "@/lib/auth/schemas";
import { getList, sendJson } from "@/lib/client/api";

export const sessionKeys = {
  own: ["sessions"] as const,
  of: (tenant: string, memberId: string) => [tenant, "members", "sessions", memberId] as const,
};

/** One's own, in whichever tenant. */
export const ownSessionsQuery = () =>
  queryOptions({
    queryKey: sessionKeys.own,
    queryFn: ({ signal }) => getList<OwnSessionView>("/api/v1/sessions", null, signal),
  });

/** A member's in this tenant. */
export const memberSessionsQuery = (tenant: string, memberId: string) =>
  queryOptions({
    queryKey: sessionKeys.of(tenant, memberId),
    queryFn: ({ signal }) => getList<SessionView>(`/api/v1/members/${memberId}/sessions`, tenant, signal),
  });

export const endOwnSession = (id: string) => sendJson<unknown>("DELETE", `/api/v1/sessions/${id}`, null, { id });

export const endOtherSessions = () => sendJson<EndedSessions>("POST", "/api/v1/sessions/end-others", null);

export const endMemberSessions = (tenant: string, input: z.input<typeof endMemberSessionsInput>) =>
  sendJson<EndedSessions>("DELETE", `/api/v1/members/${input.id}/sessions`, tenant, input);

export const endPersonSessions = (input: z.input<typeof endPersonSessionsInput>) =>
  sendJson<EndedSessions>("POST", "/api/v1/sessions/end-of-person", null, input);

/** Ends the session on the server, then leaves for the sign-in page with nothing kept in the tab. */
export async function endSession(): Promise<void> {
  await sendJson<unknown>("DELETE", "/api/v1/session", null);
  window.location.assign("/sign-in");
}

/** Makes another of one's tenants the active one; both tenants' trails say so. */
export const switchTenant = (tenant: string) => sendJson<unknown>("POST", "/api/v1/session/tenant", null, { tenant });
