import { describe, expect, it } from "vitest";
import { isAppError } from "@/lib/core/errors";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { pool, prisma } from "@/lib/db/client";
import { enterChain, inPlatform, inTenant } from "@/lib/db/in-tenant";
import { platformSql, tenantSql } from "@/lib/db/sql";
import { createTestAgent, createTestMember, createTestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

describe("inTenant", () => {
  it("shows one tenant its own rows and its own people", async () => {
    const [clinic, bank] = [await createTestTenant(), await createTestTenant()];
    await createTestMember(clinic, "viewer");
    await createTestAgent(bank, ["files:read"]);
    const seen = await inTenant(clinic.tenantId, async (tx) => ({
      tenants: await tx.tenant.findMany(),
      users: await tx.user.findMany(),
      members: await tx.member.findMany({ include: { user: true, roles: { include: { role: true } } } }),
      agents: await tx.agent.count(),
    }));
    expect(seen.tenants.map(({ id }) => id)).toEqual([clinic.tenantId]);
    expect(seen.users).toHaveLength(2);
    expect(seen.members.map(({ user }) => user.email)).toContain(clinic.admin.email);
    expect(seen.users.map(({ email }) => email)).not.toContain(bank.admin.email);
    expect(seen.agents).toBe(0);
  });

  it("refuses a foreign key into another tenant", async () => {
    const [clinic, bank] = [await createTestTenant(), await createTestTenant()];
    const agent = { tenantId: clinic.tenantId, id: newId(), slug: "thief", name: "thief" };
    const steal = inTenant(clinic.tenantId, (tx) =>
      tx.agent.create({ data: { ...agent, ownerMemberId: bank.admin.memberId } }),
    );
    await expect(steal).rejects.toMatchObject({ code: "P2003" });
  });

  it("refuses a malformed tenant before it reaches SQL", async () => {
    for (const bad of ["", "x", "' or true --", newId().toUpperCase()]) {
      await expect(inTenant(bad, (tx) => tx.tenant.count())).rejects.toMatchObject({ code: "internal" });
      await expect(tenantSql(bad, (client) => client.query("select 1"))).rejects.toMatchObject({ code: "internal" });
    }
  });

  it("leaves no role and no tenant behind on the connection", async () => {
    const { tenantId } = await createTestTenant();
    await inTenant(tenantId, (tx) => tx.tenant.count());
    await tenantSql(tenantId, (client) => client.query("select 1"));
    await expect(tenantSql(tenantId, (client) => client.query("select broken"))).rejects.toThrow();
    const { rows } = await pool().query(
      "select current_user = session_user as same, coalesce(current_setting('app.tenant_id', true), '') as tenant",
    );
    expect(rows).toEqual([{ same: true, tenant: "" }]);
  });

  it("carries the platform's own chain", async () => {
    const head = await inTenant(PLATFORM_TENANT_ID, (tx) => tx.auditHead.findMany());
    expect(head.every(({ tenantId }) => tenantId === PLATFORM_TENANT_ID)).toBe(true);
  });
});

describe("inPlatform", () => {
  it("sees who belongs where, and appends to the chain it entered", async () => {
    const { tenantId, admin } = await createTestTenant();
    await inPlatform(async (tx) => {
      expect(await tx.member.findMany({ where: { userId: admin.userId } })).toHaveLength(1);
      expect(await tx.server.count({ where: { tenantId } })).toBe(0);
      const counted = await tx.tenant.findUniqueOrThrow({
        where: { id: tenantId },
        include: { _count: { select: { members: true, servers: true, agents: true } } },
      });
      expect(counted._count).toEqual({ members: 1, servers: 0, agents: 0 });
      await enterChain(tx, tenantId);
      await tx.auditHead.create({ data: { tenantId, seq: 0n, hash: Buffer.alloc(32) } });
    });
    const outside = inPlatform((tx) => tx.auditHead.findMany({ where: { tenantId } }));
    expect(await outside).toEqual([]);
  });

  it("commits nothing when the caller swallowed a failed statement", async () => {
    const swallowed = platformSql(async (client) => {
      await client.query("select broken").catch(() => undefined);
      return "looks fine";
    });
    await expect(swallowed).rejects.toThrow(/rolled back/);
  });
});

it("says unavailable, not internal, when the database goes away", async () => {
  const { tenantId } = await createTestTenant();
  const cut = await tenantSql(tenantId, async (client) => {
    await client.query("select 1");
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    await pool().query("select pg_terminate_backend($1)", [rows[0]?.pid]);
    return client.query("select 2");
  }).catch((cause: unknown) => cause);
  expect(isAppError(cut) && cut.code).toBe("unavailable");
  expect(await inTenant(tenantId, (tx) => tx.tenant.count())).toBe(1);
  expect(await prisma().tenant.count()).toBeGreaterThanOrEqual(0);
});
