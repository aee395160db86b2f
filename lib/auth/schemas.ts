import { z } from "zod";
import { reason } from "@/lib/core/wire";

/** DELETE /api/v1/sessions/{id}: one's own. */
export const endOwnSessionInput = z.object({ id: z.uuid() });

/** DELETE /api/v1/members/{id}/sessions */
export const endMemberSessionsInput = z.object({ id: z.uuid(), reason });

/** POST /api/v1/sessions/end-of-person */
export const endPersonSessionsInput = z.object({
  email: z.email().transform((text) => text.toLowerCase()),
  reason,
});

/** An open session as others than its person may see it. */
export type SessionView = {
  readonly id: string;
  readonly signedInAt: string;
  /** Exact to a minute. */
  readonly lastSeenAt: string;
  /** When it ends at the latest; earlier if nobody uses it. */
  readonly expiresAt: string;
  /** Where its person signed in, or last switched to another tenant. */
  readonly address: string | null;
  readonly userAgent: string | null;
};

/** One's own open session. */
export type OwnSessionView = SessionView & {
  /** The one that asks. */
  readonly current: boolean;
  /** The tenant that is active in it. */
  readonly tenant: { readonly slug: string; readonly name: string } | null;
};

/** How many sessions were ended. */
export type EndedSessions = { readonly ended: number };
