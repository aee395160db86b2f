import "server-only";
import { actorName } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import { definePlatformWrite } from "@/lib/db/verbs";
import { INVITATION_MS } from "@/lib/members/invite-member";
import { BUILT_IN_ROLES } from "@/lib/members/schemas";
import { alsoInChainOf } from "@/lib/tenants/internal";
import { createTenantInput } from "@/lib/tenants/schemas";
import { toTenantView } from "@/lib/tenants/views";

/** First parts of addresses that are not tenants. */
const RESERVED = new Set([
  "api",
  "platform",
  "sign-in",
  "sign-out",
  "no-tenant",
  "healthz",
  "readyz",
  "dev-issuer",
  "admin",
  "static",
]);

/** A new tenant with the built-in roles and an invitation for its first admin. Its permission map starts empty: deny by default. */
export const createTenant = definePlatformWrite({
  permission: "platform:write",
  input: createTenantInput,
  status: 201,
  run: async (tx, ctx, { slug, name, zones, residency, adminEmail }) => {
    await tx.$executeRaw`select pg_advisory_xact_lock(hashtextextended('tenants', 0))`;
    if (RESERVED.has(slug)) throw taken(`The name ${slug} is reserved.`);
    const known = await tx.tenant.findUnique({ where: { slug }, select: { id: true } });
    if (known !== null) throw taken(`There is a tenant ${slug} already.`);
    const tenantId = newId();
    const data = { id: tenantId, slug, name, zones: [...new Set(zones)].sort(), residency };
    const row = await tx.tenant.create({ data });
    await tx.role.createMany({
      data: BUILT_IN_ROLES.map((role) => ({
        ...role,
        permissions: [...role.permissions],
        tenantId,
        id: newId(),
        builtIn: true,
      })),
    });
    await tx.invitation.create({
      data: {
        tenantId,
        id: newId(),
        email: adminEmail,
        roleSlugs: ["tenant-admin"],
        invitedBy: actorName(ctx.actor),
        expiresAt: new Date(Date.now() + INVITATION_MS),
      },
      select: { id: true },
    });
    const fact = { phase: "admin", eventType: "tenant.created", target: slug } as const;
    await alsoInChainOf(tx, tenantId, ctx, fact);
    const view = toTenantView(row, { memberCount: 0, serverCount: 0, agentCount: 0 });
    return { result: view, audit: { action: "tenant.created", target: slug, after: { ...view, adminEmail } } };
  },
});

const taken = (why: string) => new AppError("conflict", why, { issues: [{ path: "slug", rule: "must not be taken" }] });
