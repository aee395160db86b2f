import "server-only";
import { z } from "zod";
import { recordSessionEvent } from "@/lib/auth/session-events";
import { AppError } from "@/lib/core/errors";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { enterChain } from "@/lib/db/in-tenant";
import { definePlatformWrite } from "@/lib/db/verbs";

/** DELETE /api/v1/session: signs out. The row ends, so a copy of the cookie is worth nothing. */
export const closeSession = definePlatformWrite({
  permission: "self",
  input: z.object({}),
  status: 204,
  run: async (tx, ctx) => {
    const { actor } = ctx;
    if (actor.kind !== "user" || actor.authMethod !== "session" || actor.credentialId === undefined) {
      throw new AppError("invalid_input", "Only a signed-in session can sign out; revoke an API token instead.");
    }
    const sessionId = actor.credentialId;
    const where = { id: sessionId };
    const row = await tx.session.update({
      where,
      data: { revokedAt: new Date(), endReason: "signed_out" },
      select: { activeTenantId: true },
    });
    if (row.activeTenantId !== null) {
      const who = { type: "user", id: actor.userId, name: actor.email } as const;
      const event = {
        eventType: "session.closed",
        reasonCode: "signed_out",
        actor: who,
        target: actor.email,
        sessionId,
      };
      await recordSessionEvent(tx, row.activeTenantId, event, ctx);
      await enterChain(tx, PLATFORM_TENANT_ID);
    }
    return {
      result: null,
      audit: { action: "session.closed", target: actor.email, reason: "signed_out" },
      publish: [{ topic: "session.changed", sessionId }],
    };
  },
});
