import { createHash } from "node:crypto";
import type { RequestContext } from "@/lib/core/context";
import { newId, newSecret, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { inPlatform, inTenant } from "@/lib/db/in-tenant";
import { openDatabase } from "@/lib/db/open-database";
import { BUILT_IN_ROLES } from "@/lib/members/schemas";

export type BuiltInRole = (typeof BUILT_IN_ROLES)[number]["slug"];

export type TestMember = {
  readonly userId: string;
  readonly memberId: string;
  readonly email: string;
  readonly name: string;
  /** What a signed-in request of this person carries. */
  readonly ctx: RequestContext;
};

export type TestTenant = {
  readonly tenantId: string;
  readonly slug: string;
  readonly name: string;
  /** Role ids by slug. */
  readonly roleIds: ReadonlyMap<string, string>;
  /** The first member, a tenant admin. */
  readonly admin: TestMember;
  /** The admin's context, narrowed to a built-in role or to a list of permissions. */
  readonly ctx: (held?: BuiltInRole | readonly string[]) => RequestContext;
};

export type TestTenantOptions = {
  readonly slug?: string;
  readonly name?: string;
  readonly zones?: readonly string[];
  readonly residency?: string;
};

/** Lower-case, unique, and a valid slug. */
export const uniqueSlug = (prefix = "t"): string => `${prefix}-${newId().replaceAll("-", "").slice(-18)}`;

/** A tenant of this test's own, with the built-in roles and one admin. */
export async function createTestTenant(options: TestTenantOptions = {}): Promise<TestTenant> {
  await openDatabase();
  const tenantId = newId();
  const slug = options.slug ?? uniqueSlug();
  const name = options.name ?? `Tenant ${slug}`;
  const roles = BUILT_IN_ROLES.map((role) => ({ ...role, id: newId() }));
  await inPlatform(async (tx) => {
    const zones = [...(options.zones ?? [])];
    await tx.tenant.create({ data: { id: tenantId, slug, name, zones, residency: options.residency ?? "eu" } });
    await tx.role.createMany({
      data: roles.map((role) => ({ ...role, permissions: [...role.permissions], tenantId, builtIn: true })),
    });
  });
  const roleIds = new Map<string, string>(roles.map((role) => [role.slug, role.id]));
  const admin = await createTestMember({ tenantId, slug, roleIds }, "tenant-admin");
  return {
    tenantId,
    slug,
    name,
    roleIds,
    admin,
    ctx: (held = "tenant-admin") => ({ ...admin.ctx, requestId: newId(), permissions: permissionsOf(held) }),
  };
}

/** Another person in the tenant, holding one of its built-in roles. */
export async function createTestMember(
  tenant: Pick<TestTenant, "tenantId" | "slug" | "roleIds">,
  role: BuiltInRole,
): Promise<TestMember> {
  const { tenantId } = tenant;
  const roleId = tenant.roleIds.get(role);
  if (roleId === undefined) throw new Error(`The test tenant has no role ${role}.`);
  const [userId, memberId] = [newId(), newId()];
  const email = `${uniqueSlug(role)}@example.test`;
  const name = `Test ${role}`;
  await inPlatform(async (tx) => {
    await tx.user.create({ data: { id: userId, email, name } });
    await tx.member.create({ data: { tenantId, id: memberId, userId } });
    await tx.memberRole.create({ data: { tenantId, memberId, roleId } });
  });
  const actor = { kind: "user", userId, memberId, email, name, platformAdmin: false, authMethod: "session" } as const;
  const ctx = { requestId: newId(), tenantId, actor, permissions: permissionsOf(role), ip: null, userAgent: null };
  return { userId, memberId, email, name, ctx };
}

/** The context of somebody who rules the platform, and no tenant. */
export async function createPlatformAdmin(): Promise<{ readonly userId: string; readonly ctx: RequestContext }> {
  await openDatabase();
  const userId = newId();
  const email = `${uniqueSlug("root")}@example.test`;
  const name = "Test platform admin";
  await inPlatform((tx) => tx.user.create({ data: { id: userId, email, name, platformAdmin: true } }));
  return {
    userId,
    ctx: {
      requestId: newId(),
      tenantId: PLATFORM_TENANT_ID,
      actor: { kind: "user", userId, memberId: null, email, name, platformAdmin: true, authMethod: "session" },
      permissions: new Set(["platform:*"]),
      ip: null,
      userAgent: null,
    },
  };
}

export type TestAgent = {
  readonly agentId: string;
  readonly slug: string;
  readonly keyId: string;
  /** The key itself, as an agent would present it. */
  readonly key: string;
  readonly roleId: string;
};

/** An agent of the tenant's admin with one key, holding exactly `permissions` through a role of its own. */
export async function createTestAgent(tenant: TestTenant, permissions: readonly string[] = []): Promise<TestAgent> {
  const { tenantId } = tenant;
  const [agentId, keyId, roleId] = [newId(), newId(), newId()];
  const slug = uniqueSlug("agent");
  const key = newSecret("cs");
  await inTenant(tenantId, async (tx) => {
    const role = { tenantId, id: roleId, slug: uniqueSlug("role"), name: `Role of ${slug}` };
    await tx.role.create({ data: { ...role, permissions: [...permissions] } });
    await tx.agent.create({ data: { tenantId, id: agentId, slug, name: slug, ownerMemberId: tenant.admin.memberId } });
    await tx.agentRole.create({ data: { tenantId, agentId, roleId } });
    const hash = createHash("sha256").update(key).digest();
    await tx.agentKey.create({ data: { tenantId, id: keyId, agentId, name: "test", prefix: key.slice(0, 10), hash } });
  });
  return { agentId, slug, keyId, key, roleId };
}

function permissionsOf(held: BuiltInRole | readonly string[]): ReadonlySet<string> {
  if (typeof held !== "string") return new Set(held);
  return new Set(BUILT_IN_ROLES.find(({ slug }) => slug === held)?.permissions ?? []);
}
