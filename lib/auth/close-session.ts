import "server-only";
import { z } from "zod";
import { requireSession } from "@/lib/auth/require-session";
import { recordSessionEvent } from "@/lib/auth/session-events";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { enterChain } from "@/lib/db/in-tenant";
import { definePlatformWrite } from "@/lib/db/verbs";

const NOT_A_SESSION = "Only a signed-in session can sign out; revoke an API token instead.";

/** DELETE /api/v1/session: signs out. The row ends, so a copy of the cookie is worth nothing. */
export const closeSession = definePlatformWrite({
  permission: "self",
  input: z.object({}),
  status: 204,
  run: async (tx, ctx) => {
    const { sessionId, userId, email } = requireSession(ctx, NOT_A_SESSION);
    const where = { id: sessionId };
    const row = await tx.session.update({
      where,
      data: { revokedAt: new Date(), endReason: "signed_out" },
      select: { activeTenantId: true },
    });
    if (row.activeTenantId !== null) {
      const who = { type: "user", id: userId, name: email } as const;
      const event = {
        eventType: "session.closed",
        reasonCode: "signed_out",
        actor: who,
        target: email,
        sessionId,
      };
      await recordSessionEvent(tx, row.activeTenantId, event, ctx);
      await enterChain(tx, PLATFORM_TENANT_ID);
    }
    return {
      result: null,
      audit: { action: "session.closed", target: email, reason: "signed_out" },
      publish: [{ topic: "session.changed", sessionId }],
    };
  },
});
