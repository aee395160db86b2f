import { describe, expect, it, vi } from "vitest";
import { checkAgentKey, verifyAgentKey } from "@/lib/auth/verify-agent-key";
import { bus } from "@/lib/core/bus";
import { newSecret } from "@/lib/core/ids";
import { pool } from "@/lib/db/client";
import { inPlatform, inTenant } from "@/lib/db/in-tenant";
import { createTestAgent, createTestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const T0 = Date.now();
const STEADY0 = performance.now();
/** So many milliseconds later by both clocks. */
const at = (ms: number) => [T0 + ms, STEADY0 + ms] as const;

async function agentAndTenant() {
  const tenant = await createTestTenant({ zones: ["hipaa"] });
  return { tenant, agent: await createTestAgent(tenant, ["files:read"]) };
}

describe("an agent key", () => {
  it("names its agent, tenant, owner and what its roles hold", async () => {
    const { tenant, agent } = await agentAndTenant();
    const identity = await verifyAgentKey(agent.key);
    expect(identity).toMatchObject({
      tenantId: tenant.tenantId,
      tenantSlug: tenant.slug,
      tenantZones: ["hipaa"],
      agentId: agent.agentId,
      slug: agent.slug,
      keyId: agent.keyId,
      ownerMemberId: tenant.admin.memberId,
    });
    expect([...(identity?.permissions ?? [])]).toEqual(["files:read"]);
  });

  it("is refused when malformed or unknown, without asking the database for what cannot be one", async () => {
    const asked = vi.spyOn(pool(), "connect");
    for (const secret of ["", "cs_short", "cst_".padEnd(47, "a"), `cs_${"a".repeat(44)}`, "' or 1=1"]) {
      expect(await checkAgentKey(secret)).toEqual({ ok: false, reason: "malformed", known: null });
    }
    expect(asked).not.toHaveBeenCalled();
    asked.mockRestore();
    expect(await checkAgentKey(newSecret("cs"))).toEqual({ ok: false, reason: "unknown", known: null });
  });

  it("answers from memory, and from the database again after two seconds at the latest", async () => {
    const { tenant, agent } = await agentAndTenant();
    const { tenantId } = tenant;
    expect(await checkAgentKey(agent.key, ...at(0))).toMatchObject({ ok: true });
    const asked = vi.spyOn(pool(), "connect");
    for (let count = 0; count < 100; count += 1) await checkAgentKey(agent.key, ...at(900));
    expect(asked).not.toHaveBeenCalled();
    asked.mockRestore();
    // Revoked behind our back, as by another process whose announcement was lost.
    const where = { tenantId_id: { tenantId, id: agent.keyId } };
    await inTenant(tenantId, (tx) => tx.agentKey.update({ where, data: { revokedAt: new Date() } }));
    expect(await checkAgentKey(agent.key, ...at(2_001))).toMatchObject({
      ok: false,
      reason: "key_revoked",
      known: { tenantId, agentId: agent.agentId, slug: agent.slug, keyId: agent.keyId },
    });
  });

  it("is asked about again as soon when the time of day was set back meanwhile", async () => {
    const { tenant, agent } = await agentAndTenant();
    const { tenantId } = tenant;
    const [now, steady] = at(0);
    expect(await checkAgentKey(agent.key, now, steady)).toMatchObject({ ok: true });
    const where = { tenantId_id: { tenantId, id: agent.keyId } };
    await inTenant(tenantId, (tx) => tx.agentKey.update({ where, data: { revokedAt: new Date() } }));
    const setBack = now - 3_600_000;
    expect(await checkAgentKey(agent.key, setBack, steady + 2_001)).toMatchObject({ ok: false, reason: "key_revoked" });
  });

  it("stops at once when its change is announced, also while it was being looked up", async () => {
    const { tenant, agent } = await agentAndTenant();
    const { tenantId } = tenant;
    expect(await verifyAgentKey(agent.key)).not.toBeNull();
    const where = { tenantId_id: { tenantId, id: agent.agentId } };
    const setStatus = (status: string) => inTenant(tenantId, (tx) => tx.agent.update({ where, data: { status } }));
    await setStatus("suspended");
    bus.publish({ topic: "agent.changed", tenantId, agentId: agent.agentId });
    expect(await checkAgentKey(agent.key)).toMatchObject({ ok: false, reason: "agent_suspended" });
    await setStatus("active");
    bus.publish({ topic: "agent.changed", tenantId, agentId: agent.agentId });
    const during = checkAgentKey(agent.key);
    bus.publish({ topic: "agent.changed", tenantId, agentId: agent.agentId });
    await during;
    await setStatus("suspended");
    expect(await checkAgentKey(agent.key)).toMatchObject({ ok: false, reason: "agent_suspended" });
  });

  it("keeps other tenants' keys in memory when one tenant changes", async () => {
    const [one, two] = [await agentAndTenant(), await agentAndTenant()];
    await verifyAgentKey(one.agent.key);
    await verifyAgentKey(two.agent.key);
    bus.publish({ topic: "role.changed", tenantId: one.tenant.tenantId });
    const asked = vi.spyOn(pool(), "connect");
    await verifyAgentKey(two.agent.key);
    expect(asked).not.toHaveBeenCalled();
    await verifyAgentKey(one.agent.key);
    expect(asked).toHaveBeenCalledTimes(1);
    asked.mockRestore();
  });

  it("ends by itself: key, grant and tenant", async () => {
    const { tenant, agent } = await agentAndTenant();
    const { tenantId } = tenant;
    const soon = new Date(T0 + 1_500);
    const grant = { tenantId_agentId_roleId: { tenantId, agentId: agent.agentId, roleId: agent.roleId } };
    await inTenant(tenantId, (tx) => tx.agentRole.update({ where: grant, data: { expiresAt: soon } }));
    const before = await checkAgentKey(agent.key, ...at(0));
    expect(before.ok && before.identity.permissions.size).toBe(1);
    // Within the two seconds of memory, yet past the end of the grant.
    const after = await checkAgentKey(agent.key, ...at(1_501));
    expect(after.ok && after.identity.permissions.size).toBe(0);
    const where = { tenantId_id: { tenantId, id: agent.keyId } };
    await inTenant(tenantId, (tx) => tx.agentKey.update({ where, data: { expiresAt: new Date(T0 + 5_000) } }));
    expect(await checkAgentKey(agent.key, ...at(4_000))).toMatchObject({ ok: true });
    expect(await checkAgentKey(agent.key, ...at(5_000))).toMatchObject({ ok: false, reason: "key_expired" });
    await inTenant(tenantId, (tx) => tx.agentKey.update({ where, data: { expiresAt: null } }));
    await inPlatform((tx) => tx.tenant.update({ where: { id: tenantId }, data: { status: "suspended" } }));
    expect(await checkAgentKey(agent.key, ...at(9_000))).toMatchObject({ ok: false, reason: "tenant_suspended" });
  });

  it("asks the database once for a thousand callers at the same moment", async () => {
    const { agent } = await agentAndTenant();
    const asked = vi.spyOn(pool(), "connect");
    await Promise.all(Array.from({ length: 1_000 }, () => verifyAgentKey(agent.key)));
    expect(asked).toHaveBeenCalledTimes(1);
    asked.mockRestore();
  });

  it("asks the database a few times for many keys at the same moment, and answers each with its own", async () => {
    const { tenant } = await agentAndTenant();
    const agents = await Promise.all(Array.from({ length: 40 }, () => createTestAgent(tenant, ["work:do"])));
    const stranger = `cs_${"x".repeat(43)}`;
    const asked = vi.spyOn(pool(), "connect");
    const [unknown, ...found] = await Promise.all(
      [stranger, ...agents.map(({ key }) => key)].map((key) => verifyAgentKey(key)),
    );
    // The first four go alone, because few are under way yet; the others go together.
    expect(asked.mock.calls.length).toBeLessThanOrEqual(6);
    asked.mockRestore();
    expect(unknown).toBeNull();
    expect(found.map((identity) => identity?.agentId)).toEqual(agents.map(({ agentId }) => agentId));
    const where = { tenantId: tenant.tenantId, agentId: { in: agents.map(({ agentId }) => agentId) } };
    const keys = await inTenant(tenant.tenantId, (tx) => tx.agentKey.findMany({ where }));
    expect(keys.filter(({ lastUsedAt }) => lastUsedAt !== null)).toHaveLength(40);
  });
});
