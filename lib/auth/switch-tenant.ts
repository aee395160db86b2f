import "server-only";
import { z } from "zod";
import { MEMBERSHIPS_SQL, type Membership } from "@/lib/auth/memberships";
import { requireSession } from "@/lib/auth/require-session";
import { recordSessionEvent } from "@/lib/auth/session-events";
import { AppError } from "@/lib/core/errors";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { slug } from "@/lib/core/wire";
import { enterChain } from "@/lib/db/in-tenant";
import { definePlatformWrite } from "@/lib/db/verbs";

/** POST /api/v1/session/tenant */
export const switchTenantInput = z.object({ tenant: slug });

const NOT_A_SESSION = "Only a signed-in session can switch tenants; an API token belongs to one.";

/** Makes another of one's tenants the active one of this session. Recorded where the person arrives and platform-wide. */
export const switchTenant = definePlatformWrite({
  permission: "self",
  input: switchTenantInput,
  run: async (tx, ctx, { tenant }) => {
    const { sessionId, userId, email } = requireSession(ctx, NOT_A_SESSION);
    const memberships = await tx.$queryRawUnsafe<Membership[]>(MEMBERSHIPS_SQL, userId, new Date().toISOString());
    const chosen = memberships.find((membership) => membership.slug === tenant);
    if (chosen === undefined) throw new AppError("not_found", `You are not a member of a tenant called ${tenant}.`);
    await tx.session.update({
      where: { id: sessionId },
      // Seen by the admins of the tenant that it comes to: they learn where it was then, as their trail does, and nothing of before.
      data: { activeTenantId: chosen.tenantId, ip: ctx.ip, userAgent: ctx.userAgent },
      select: { id: true },
    });
    const actor = { type: "user", id: userId, name: email } as const;
    const event = { eventType: "session.tenant_switched", actor, target: tenant, sessionId };
    await recordSessionEvent(tx, chosen.tenantId, event, ctx);
    await enterChain(tx, PLATFORM_TENANT_ID);
    return {
      result: { activeTenant: { id: chosen.tenantId, slug: chosen.slug, name: chosen.name } },
      audit: { action: "session.tenant_switched", target: tenant },
      publish: [{ topic: "session.changed", sessionId }],
    };
  },
});
