import { z } from "zod";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import type { PlatformTx } from "@/lib/db/in-tenant";
import { definePlatformWrite } from "@/lib/db/verbs";
import { BUILT_IN_ROLES } from "@/lib/members/schemas";
import { PLATFORM_ADMIN, type Scenario, type SeedPerson, STRANGER } from "@/prisma/seed/scenario";

async function ensureUser(tx: PlatformTx, email: string, name: string, platformAdmin = false): Promise<string> {
  const known = await tx.user.findUnique({ where: { email }, select: { id: true } });
  if (known !== null) return known.id;
  const id = newId();
  await tx.user.create({ data: { id, email, name, platformAdmin, demo: true }, select: { id: true } });
  return id;
}

async function ensureMember(
  tx: PlatformTx,
  tenantId: string,
  roleIds: ReadonlyMap<string, string>,
  person: SeedPerson,
): Promise<void> {
  const userId = await ensureUser(tx, person.email, person.name);
  const where = { tenantId_userId: { tenantId, userId } };
  if ((await tx.member.findUnique({ where, select: { id: true } })) !== null) return;
  const memberId = newId();
  await tx.member.create({ data: { tenantId, id: memberId, userId }, select: { id: true } });
  const ids = person.roles.map((role) => roleIds.get(role)).filter((id) => id !== undefined);
  await tx.memberRole.createMany({ data: ids.map((roleId) => ({ tenantId, memberId, roleId })) });
}

async function ensureTenant(tx: PlatformTx, { slug, name, zones, residency }: Scenario): Promise<string> {
  const known = await tx.tenant.findUnique({ where: { slug }, select: { id: true } });
  if (known !== null) return known.id;
  const id = newId();
  await tx.tenant.create({ data: { id, slug, name, zones: [...zones], residency, demo: true }, select: { id: true } });
  return id;
}

/** A tenant of the demo with its roles and people. Doing it again adds what is missing. */
export const foundTenant = definePlatformWrite({
  permission: "platform:write",
  input: z.custom<Scenario>(),
  run: async (tx, _ctx, scenario) => {
    const tenantId = await ensureTenant(tx, scenario);
    const known = await tx.role.findMany({ where: { tenantId }, select: { slug: true, id: true } });
    const roleIds = new Map(known.map((role) => [role.slug, role.id]));
    const roles = [
      ...BUILT_IN_ROLES.map((role) => ({ ...role, builtIn: true })),
      ...scenario.roles.map((role) => ({ ...role, builtIn: false })),
    ].filter((role) => !roleIds.has(role.slug));
    const rows = roles.map((role) => ({ ...role, permissions: [...role.permissions], tenantId, id: newId() }));
    await tx.role.createMany({ data: rows });
    for (const row of rows) roleIds.set(row.slug, row.id);
    for (const person of scenario.people) await ensureMember(tx, tenantId, roleIds, person);
    const after = { zones: scenario.zones, residency: scenario.residency, people: scenario.people, demo: true };
    const action = known.length === 0 ? ("tenant.created" as const) : ("tenant.completed" as const);
    return { result: tenantId, audit: { action, target: scenario.slug, after } };
  },
});

/** The people who belong to no tenant: the platform admin and the stranger. */
export const foundPeople = definePlatformWrite({
  permission: "platform:write",
  input: z.object({}),
  run: async (tx) => {
    await ensureUser(tx, PLATFORM_ADMIN.email, PLATFORM_ADMIN.name, true);
    await ensureUser(tx, STRANGER.email, STRANGER.name);
    const target = `${PLATFORM_ADMIN.email}, ${STRANGER.email}`;
    return { result: PLATFORM_TENANT_ID, audit: { action: "demo.people_created", target } };
  },
});
