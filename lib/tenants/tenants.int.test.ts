import { describe, expect, it } from "vitest";
import { perform } from "@/lib/audit/perform";
import { admitPerson } from "@/lib/auth/admit-person";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { inPlatform, inTenant } from "@/lib/db/in-tenant";
import { changeTenant } from "@/lib/tenants/change-tenant";
import { createTenant } from "@/lib/tenants/create-tenant";
import { getMe, listTenants } from "@/lib/tenants/read";
import { entriesOf } from "@/lib/testing/entries";
import { createPlatformAdmin, createTestTenant, uniqueSlug } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

describe("creating a tenant", () => {
  it("makes it whole: roles, an admin's invitation, entries in both chains, and the admin lands in it", async () => {
    const root = await createPlatformAdmin();
    const slug = uniqueSlug("clinic");
    const adminEmail = `${slug}@example.test`;
    const input = {
      slug,
      name: "Clinic",
      zones: ["hipaa", "hipaa"],
      residency: "us",
      adminEmail: adminEmail.toUpperCase(),
    };
    const view = await perform(createTenant, root.ctx, input);
    expect(view).toMatchObject({ slug, zones: ["hipaa"], status: "active", memberCount: 0 });
    const roles = await inTenant(view.id, (tx) => tx.role.findMany({ where: { tenantId: view.id } }));
    expect(roles.map((role) => [role.slug, role.builtIn]).sort()).toEqual([
      ["compliance-officer", true],
      ["developer", true],
      ["tenant-admin", true],
      ["viewer", true],
    ]);
    expect(await entriesOf(view.id, "tenant.created")).toHaveLength(1);
    expect(
      (await entriesOf(PLATFORM_TENANT_ID, "tenant.created")).filter(({ target }) => target === slug),
    ).toHaveLength(1);
    const person = {
      provider: "oidc",
      issuer: "https://i.test",
      subject: newId(),
      email: adminEmail,
      claimedEmail: adminEmail,
      name: "A",
    };
    expect(await admitPerson(person, {})).toMatchObject({ ok: true, tenantId: view.id });
    await expect(perform(createTenant, root.ctx, input)).rejects.toMatchObject({ code: "conflict" });
    await expect(perform(createTenant, root.ctx, { ...input, slug: "platform" })).rejects.toMatchObject({
      code: "conflict",
    });
    // Nothing of a refused one stays behind.
    expect(await inPlatform((tx) => tx.tenant.count({ where: { slug } }))).toBe(1);
  });

  it("is for platform admins; a tenant's admin is refused and that is recorded in their chain", async () => {
    const tenant = await createTestTenant();
    const attempt = perform(createTenant, tenant.ctx(), {
      slug: uniqueSlug(),
      name: "X",
      residency: "eu",
      adminEmail: "a@b.test",
    });
    await expect(attempt).rejects.toMatchObject({ code: "permission_denied", detail: { missing: "platform:write" } });
    await expect(perform(listTenants, tenant.ctx(), {})).rejects.toMatchObject({ code: "permission_denied" });
    expect(await entriesOf(tenant.tenantId, "access.denied")).toHaveLength(2);
  });
});

describe("changing a tenant", () => {
  it("lets its own admin rename it, never suspend it, leave its zones or residency, nor touch another", async () => {
    const own = await createTestTenant({ zones: ["sox"], residency: "us" });
    const other = await createTestTenant();
    const reason = "called so by everybody";
    const view = await perform(changeTenant, own.ctx(), { id: own.tenantId, name: "Renamed", reason });
    expect(view).toMatchObject({ name: "Renamed", zones: ["sox"], residency: "us", memberCount: 1 });
    const denied = { code: "permission_denied", detail: { missing: "platform:write" } };
    for (const change of [{ status: "suspended" }, { zones: [] }, { residency: "eu" }] as const) {
      await expect(
        perform(changeTenant, own.ctx(), { id: own.tenantId, name: "Free", ...change, reason }),
      ).rejects.toMatchObject(denied);
    }
    const root = await createPlatformAdmin();
    const moved = await perform(changeTenant, root.ctx, { id: own.tenantId, zones: [], residency: "eu", reason });
    expect(moved).toMatchObject({ name: "Renamed", zones: [], residency: "eu" });
    await expect(perform(changeTenant, own.ctx(), { id: other.tenantId, name: "Mine", reason })).rejects.toMatchObject(
      denied,
    );
    const asViewer = perform(changeTenant, own.ctx("viewer"), { id: own.tenantId, name: "Mine", reason });
    await expect(asViewer).rejects.toMatchObject({ code: "permission_denied", detail: { missing: "tenant:write" } });
    expect(await entriesOf(own.tenantId, "tenant.changed")).toHaveLength(2);
    expect(await entriesOf(other.tenantId, "tenant.changed")).toHaveLength(0);
  });

  it("lets the platform suspend and reinstate; the platform's own row is no tenant", async () => {
    const root = await createPlatformAdmin();
    const tenant = await createTestTenant();
    const reason = "contract ended";
    expect(await perform(changeTenant, root.ctx, { id: tenant.tenantId, status: "suspended", reason })).toMatchObject({
      status: "suspended",
    });
    expect(await perform(changeTenant, root.ctx, { id: tenant.tenantId, status: "active", reason })).toMatchObject({
      status: "active",
    });
    for (const type of ["tenant.suspended", "tenant.reinstated"])
      expect(await entriesOf(tenant.tenantId, type)).toHaveLength(1);
    for (const id of [PLATFORM_TENANT_ID, newId()]) {
      await expect(perform(changeTenant, root.ctx, { id, name: "X", reason })).rejects.toMatchObject({
        code: "not_found",
      });
    }
    const all = await perform(listTenants, root.ctx, { limit: 500 });
    expect(all.items.some(({ id }) => id === PLATFORM_TENANT_ID)).toBe(false);
    expect(all.items.find(({ id }) => id === tenant.tenantId)).toMatchObject({
      memberCount: 1,
      serverCount: 0,
      agentCount: 0,
    });
  });
});

it("tells a platform admin of no tenant who they are", async () => {
  const root = await createPlatformAdmin();
  expect(await perform(getMe, root.ctx, {})).toMatchObject({
    platformAdmin: true,
    activeTenant: null,
    tenants: [],
    permissions: ["platform:*"],
  });
});
