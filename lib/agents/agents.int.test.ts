import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { changeAgent } from "@/lib/agents/change-agent";
import { createAgent } from "@/lib/agents/create-agent";
import { listAgentKeys, mintAgentKey, revokeAgentKey } from "@/lib/agents/keys";
import { getAgent, getFirstCall, listAgents } from "@/lib/agents/read";
import { perform } from "@/lib/audit/perform";
import { trail } from "@/lib/audit/trail";
import { checkAgentKey } from "@/lib/auth/verify-agent-key";
import { newId } from "@/lib/core/ids";
import { inTenant } from "@/lib/db/in-tenant";
import { createTestMember, createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { readTrail } from "@/lib/testing/read-trail";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let tenant: TestTenant;
let other: TestTenant;

beforeEach(async () => {
  [tenant, other] = [await createTestTenant(), await createTestTenant()];
});

const create = (slug = "triage", roles: readonly string[] = [], ctx = tenant.ctx()) =>
  perform(createAgent, ctx, { slug, name: "Triage", roles });

describe("agents", () => {
  it("have an owner and roles, and say what they may call", async () => {
    const agent = await create("triage", ["viewer"]);
    expect(agent).toMatchObject({ slug: "triage", roles: ["viewer"], activeKeys: 0, lastCallAt: null, tools: [] });
    expect(agent.owner.memberId).toBe(tenant.admin.memberId);
    await expect(create()).rejects.toMatchObject({ code: "conflict" });
    expect(await perform(listAgents, tenant.ctx("viewer"), {})).toHaveLength(1);
  });

  it("are owned by active members of the same tenant only", async () => {
    const foreign = { slug: "spy", name: "Spy", ownerMemberId: other.admin.memberId };
    await expect(perform(createAgent, tenant.ctx(), foreign)).rejects.toMatchObject({ code: "invalid_input" });
    const member = await createTestMember(tenant, "developer");
    const owned = await perform(createAgent, tenant.ctx(), {
      slug: "owned",
      name: "Owned",
      ownerMemberId: member.memberId,
    });
    expect(owned.owner.email).toBe(member.email);
  });

  it("get no roles from those who may not give them", async () => {
    const developer = await createTestMember(tenant, "developer");
    await expect(create("a", ["viewer"], developer.ctx)).rejects.toMatchObject({ detail: { missing: "access:write" } });
    const partial = tenant.ctx(["agents:write", "access:write", "servers:read"]);
    await expect(create("b", ["tenant-admin"], partial)).rejects.toMatchObject({ detail: { missing: "admin:*" } });
    const mine = await create("mine", [], developer.ctx);
    const give = { id: mine.id, roles: ["viewer"] };
    await expect(perform(changeAgent, developer.ctx, give)).rejects.toMatchObject({
      detail: { missing: "access:write" },
    });
    // Sending back the roles it has changes nothing and needs nothing.
    expect(await perform(changeAgent, developer.ctx, { id: mine.id, name: "Mine", roles: [] })).toMatchObject({
      name: "Mine",
    });
    expect(await perform(changeAgent, tenant.ctx(), give)).toMatchObject({ roles: ["viewer"] });
  });

  it("are not given back a role that was taken from them meanwhile, by one who may not give it", async () => {
    const { tenantId } = tenant;
    const { id } = await create("powerful", ["tenant-admin"]);
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isTaken: () => void = () => undefined;
    const taken = new Promise<void>((resolve) => {
      isTaken = resolve;
    });
    const taking = inTenant(tenantId, async (tx) => {
      await tx.$executeRaw`select from agents where tenant_id = ${tenantId}::uuid and id = ${id}::uuid for update`;
      await tx.agentRole.deleteMany({ where: { tenantId, agentId: id } });
      isTaken();
      await gate;
    });
    await taken;
    const keeper = tenant.ctx(["agents:write", "access:write"]);
    const keeping = perform(changeAgent, keeper, { id, name: "Kept", roles: ["tenant-admin"] });
    setTimeout(release, 500);
    await expect(keeping).rejects.toMatchObject({ detail: { missing: "admin:*" } });
    await taking;
    expect(await perform(getAgent, tenant.ctx(), { id })).toMatchObject({ name: "Triage", roles: [] });
  });

  it("do not show a role that has run out, and get it anew from those who may give it", async () => {
    const { tenantId } = tenant;
    const { id } = await create("triage", ["tenant-admin"]);
    const where = { tenantId, agentId: id };
    await inTenant(tenantId, (tx) => tx.agentRole.updateMany({ where, data: { expiresAt: new Date(0) } }));
    expect(await perform(getAgent, tenant.ctx(), { id })).toMatchObject({ roles: [] });
    const give = { id, roles: ["tenant-admin"] };
    const partial = tenant.ctx(["agents:write", "access:write"]);
    await expect(perform(changeAgent, partial, give)).rejects.toMatchObject({ detail: { missing: "admin:*" } });
    await perform(changeAgent, tenant.ctx(), give);
    const { secret } = await perform(mintAgentKey, tenant.ctx(), { id });
    const check = await checkAgentKey(secret);
    expect(check.ok && [...check.identity.permissions]).toEqual(["admin:*"]);
  });

  it("lend their keys to nobody but their owner and those who rule access", async () => {
    const agent = await create("powerful", ["tenant-admin"]);
    const developer = await createTestMember(tenant, "developer");
    await expect(perform(mintAgentKey, developer.ctx, { id: agent.id })).rejects.toMatchObject({
      detail: { missing: "access:write" },
    });
    await expect(perform(changeAgent, developer.ctx, { id: agent.id, status: "active" })).rejects.toMatchObject({
      code: "permission_denied",
    });
    expect(await perform(mintAgentKey, tenant.ctx(), { id: agent.id })).toMatchObject({ name: "key" });
  });
});

describe("keys", () => {
  it("are shown once, open the door, and stand nowhere else", async () => {
    const { id } = await create("triage", ["viewer"]);
    const minted = await perform(mintAgentKey, tenant.ctx(), { id, name: "laptop", expiresInDays: 30 });
    expect(minted.secret).toMatch(/^cs_[A-Za-z0-9_-]{43}$/);
    expect(minted.secret.startsWith(minted.prefix)).toBe(true);
    expect(await checkAgentKey(minted.secret)).toMatchObject({ ok: true, identity: { agentId: id, slug: "triage" } });
    const shown = JSON.stringify([
      await perform(getAgent, tenant.ctx(), { id }),
      await perform(listAgents, tenant.ctx(), {}),
      await perform(listAgentKeys, tenant.ctx(), { id }),
    ]);
    const digest = createHash("sha256").update(minted.secret).digest();
    const written = (await readTrail(tenant.tenantId)).map(({ text }) => text).join("\n");
    for (const secret of [minted.secret, minted.secret.slice(3), digest.toString("hex"), digest.toString("base64")]) {
      expect(shown).not.toContain(secret);
      expect(written).not.toContain(secret);
    }
    expect(written).toContain(minted.prefix);
    const stored = await inTenant(tenant.tenantId, (tx) => tx.agentKey.findFirstOrThrow({ where: { id: minted.id } }));
    expect(Buffer.from(stored.hash).equals(digest)).toBe(true);
  });

  it("stop at once when they are revoked or their agent is suspended", async () => {
    const { id } = await create();
    const [first, second] = [
      await perform(mintAgentKey, tenant.ctx(), { id }),
      await perform(mintAgentKey, tenant.ctx(), { id }),
    ];
    await perform(revokeAgentKey, tenant.ctx(), { id, keyId: first.id });
    expect(await checkAgentKey(first.secret)).toMatchObject({ ok: false, reason: "key_revoked" });
    expect(await checkAgentKey(second.secret)).toMatchObject({ ok: true });
    await perform(changeAgent, tenant.ctx(), { id, status: "suspended", reason: "odd behaviour" });
    expect(await checkAgentKey(second.secret)).toMatchObject({ ok: false, reason: "agent_suspended" });
    expect((await readTrail(tenant.tenantId)).at(-1)).toMatchObject({ type: "agent.suspended" });
    await perform(changeAgent, tenant.ctx(), { id, status: "active" });
    expect(await checkAgentKey(second.secret)).toMatchObject({ ok: true });
  });

  it("of another tenant are not found", async () => {
    const { id } = await create();
    const { id: keyId } = await perform(mintAgentKey, tenant.ctx(), { id });
    const ctx = other.ctx();
    await expect(perform(getAgent, ctx, { id })).rejects.toMatchObject({ code: "not_found" });
    await expect(perform(mintAgentKey, ctx, { id })).rejects.toMatchObject({ code: "not_found" });
    await expect(perform(revokeAgentKey, ctx, { id, keyId })).rejects.toMatchObject({ code: "not_found" });
    await expect(perform(changeAgent, ctx, { id, status: "suspended" })).rejects.toMatchObject({ code: "not_found" });
    await expect(perform(getFirstCall, ctx, { id })).rejects.toMatchObject({ code: "not_found" });
    expect(await perform(getAgent, tenant.ctx(), { id })).toMatchObject({ status: "active", activeKeys: 1 });
    // The right agent with another agent's key is no better.
    const second = await create("second");
    await expect(perform(revokeAgentKey, tenant.ctx(), { id: second.id, keyId })).rejects.toMatchObject({
      code: "not_found",
    });
  });
});

describe("the first call", () => {
  it("is seen when its outcome or refusal is in the trail, not before", async () => {
    const { id, slug } = await create();
    expect(await perform(getFirstCall, tenant.ctx(), { id })).toMatchObject({ seen: false, entry: null });
    const draft = {
      tenantId: tenant.tenantId,
      actor: { type: "agent", id, name: slug },
      server: "files",
      tool: "read_file",
      requestId: newId(),
    } as const;
    await trail().append({ ...draft, phase: "intent", eventType: "tool_call.started", outcome: "pending" });
    expect(await perform(getFirstCall, tenant.ctx(), { id })).toMatchObject({ seen: false });
    const { eventId } = await trail().append({
      ...draft,
      phase: "outcome",
      eventType: "tool_call.denied",
      outcome: "denied",
    });
    expect(await perform(getFirstCall, tenant.ctx(), { id })).toMatchObject({
      ...{ seen: true, tool: "files__read_file", outcome: "denied", entry: eventId },
    });
    const [agent] = await perform(listAgents, tenant.ctx(), {});
    expect(agent?.lastCallAt).not.toBeNull();
  });
});
