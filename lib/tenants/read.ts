import "server-only";
import { z } from "zod";
import { MEMBERSHIPS_SQL, type Membership } from "@/lib/auth/memberships";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import type { Page } from "@/lib/core/wire";
import type { PlatformTx } from "@/lib/db/in-tenant";
import { definePlatformRead } from "@/lib/db/verbs";
import { env } from "@/lib/env";
import { after, listInput } from "@/lib/members/list-input";
import { countsOf } from "@/lib/tenants/internal";
import type { MeView, TenantView } from "@/lib/tenants/schemas";
import { toTenantView } from "@/lib/tenants/views";

/** Every tenant of the installation. */
export const listTenants = definePlatformRead({
  permission: "platform:read",
  input: listInput,
  run: async (tx, _ctx, { limit, cursor }): Promise<Page<TenantView>> => {
    const where = { AND: [{ id: { not: PLATFORM_TENANT_ID } }, after(cursor)] };
    const rows = await tx.tenant.findMany({ where, orderBy: { id: "asc" }, take: limit + 1 });
    const shown = rows.slice(0, limit);
    const counts = await countsOf(
      tx,
      shown.map((row) => row.id),
    );
    const items = shown.map((row) => toTenantView(row, counts(row.id)));
    return { items, nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
  },
});

/** Who is signed in, where they may go, and what they may do in the tenant of this request. */
export const getMe = definePlatformRead({
  permission: "self",
  input: z.object({}),
  run: async (tx, ctx): Promise<MeView> => {
    const { actor } = ctx;
    if (actor.kind !== "user") throw new AppError("unauthenticated", "Sign in first.");
    const at = new Date().toISOString();
    const memberships = await tx.$queryRawUnsafe<Membership[]>(MEMBERSHIPS_SQL, actor.userId, at);
    const active = memberships.find((membership) => membership.tenantId === ctx.tenantId);
    return {
      userId: actor.userId,
      email: actor.email,
      name: actor.name,
      platformAdmin: actor.platformAdmin,
      // A token belongs to one tenant, and whoever holds it learns of no other.
      tenants: memberships.filter((each) => actor.authMethod === "session" || each === active).map(toPlace),
      activeTenant: active === undefined ? null : toPlace(active),
      permissions: [...ctx.permissions].sort(),
      roles: active?.roles.map((role) => role.slug) ?? [],
      session: await sessionOf(tx, ctx),
      demo: env().demo,
    };
  },
});

const toPlace = ({ tenantId: id, slug, name, zones, residency }: Membership) => ({ id, slug, name, zones, residency });

async function sessionOf(tx: PlatformTx, { actor }: RequestContext): Promise<MeView["session"]> {
  if (actor.kind !== "user" || actor.authMethod !== "session" || actor.credentialId === undefined) return null;
  const where = { id: actor.credentialId };
  const row = await tx.session.findUnique({ where, select: { expiresAt: true, idleExpiresAt: true } });
  return row === null
    ? null
    : { expiresAt: row.expiresAt.toISOString(), idleExpiresAt: row.idleExpiresAt.toISOString() };
}
