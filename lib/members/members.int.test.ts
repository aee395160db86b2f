import { describe, expect, it, vi } from "vitest";
import { changeAgent } from "@/lib/agents/change-agent";
import { createAgent } from "@/lib/agents/create-agent";
import { perform } from "@/lib/audit/perform";
import { admitPerson } from "@/lib/auth/admit-person";
import { contextFromHeaders } from "@/lib/auth/context-from-headers";
import { permissionsOf } from "@/lib/auth/memberships";
import { checkAgentKey } from "@/lib/auth/verify-agent-key";
import { verifyApiToken } from "@/lib/auth/verify-api-token";
import { bus } from "@/lib/core/bus";
import { isAppError } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import { pool } from "@/lib/db/client";
import { inPlatform, inTenant } from "@/lib/db/in-tenant";
import { changeMember } from "@/lib/members/change-member";
import { changeRole, createRole, deleteRole } from "@/lib/members/change-role";
import { inviteMember, revokeInvitation } from "@/lib/members/invite-member";
import { mintApiToken, revokeApiToken } from "@/lib/members/mint-api-token";
import { listApiTokens, listInvitations, listMembers, listRoles } from "@/lib/members/read";
import { getMe } from "@/lib/tenants/read";
import { entriesOf } from "@/lib/testing/entries";
import { createTestAgent, createTestMember, createTestTenant, uniqueSlug } from "@/lib/testing/factories";
import { holdHead } from "@/lib/testing/hold-head";
import { readTrail } from "@/lib/testing/read-trail";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

/** Until so many sessions of ours wait for another's lock. */
const waitingFor = (count: number) =>
  vi.waitFor(
    async () => {
      const { rowCount } = await pool().query(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      expect(rowCount).toBe(count);
    },
    { timeout: 15_000 },
  );

describe("invitations", () => {
  it("are made once per address, listed, and taken back", async () => {
    const tenant = await createTestTenant();
    const ctx = tenant.ctx();
    const view = await perform(inviteMember, ctx, { email: "New.Person@Example.test", roles: ["viewer"] });
    expect(view).toMatchObject({ email: "new.person@example.test", roles: ["viewer"], invitedBy: tenant.admin.email });
    await expect(perform(inviteMember, ctx, { email: view.email, roles: ["viewer"] })).rejects.toMatchObject({
      code: "conflict",
    });
    await expect(perform(inviteMember, ctx, { email: tenant.admin.email, roles: ["viewer"] })).rejects.toMatchObject({
      code: "conflict",
    });
    await expect(perform(inviteMember, ctx, { email: "a@b.test", roles: ["viewer", "nope"] })).rejects.toMatchObject({
      code: "invalid_input",
      detail: { issues: [{ path: "roles.1" }] },
    });
    expect((await perform(listInvitations, ctx, {})).items).toHaveLength(1);
    await perform(revokeInvitation, ctx, { id: view.id });
    expect((await perform(listInvitations, ctx, {})).items).toHaveLength(0);
    await expect(perform(revokeInvitation, ctx, { id: view.id })).rejects.toMatchObject({ code: "not_found" });
    expect(await entriesOf(tenant.tenantId, "member.invited")).toHaveLength(1);
    expect(await entriesOf(tenant.tenantId, "invitation.revoked")).toHaveLength(1);
  });

  it("are not taken back once they are accepted, not even at the same moment", async () => {
    const { ctx, tenantId } = await createTestTenant();
    const { id } = await perform(inviteMember, ctx(), { email: "quick@b.test", roles: ["viewer"] });
    let isAccepted: () => void = () => undefined;
    const accepted = new Promise<void>((resolve) => {
      isAccepted = resolve;
    });
    const accepting = inPlatform(async (tx) => {
      await tx.invitation.update({
        where: { tenantId_id: { tenantId, id } },
        data: { acceptedAt: new Date() },
        select: { id: true },
      });
      isAccepted();
      await new Promise((resolve) => setTimeout(resolve, 500));
    });
    await accepted;
    await expect(perform(revokeInvitation, ctx(), { id })).rejects.toMatchObject({ code: "conflict" });
    await accepting;
    expect(await entriesOf(tenantId, "invitation.revoked")).toEqual([]);
  });

  it("of another tenant do not exist here", async () => {
    const [one, two] = [await createTestTenant(), await createTestTenant()];
    const view = await perform(inviteMember, one.ctx(), { email: "a@b.test", roles: ["viewer"] });
    await expect(perform(revokeInvitation, two.ctx(), { id: view.id })).rejects.toMatchObject({ code: "not_found" });
    expect((await perform(listInvitations, two.ctx(), {})).items).toEqual([]);
  });
});

describe("nobody hands on more than they hold", () => {
  const recruiter = [
    "members:read",
    "members:write",
    "access:read",
    "access:write",
    "servers:read",
    "agents:read",
    "metrics:read",
    "alerts:read",
    "tenant:read",
  ];

  it("by inviting, granting, or making a role; each attempt is recorded", async () => {
    const tenant = await createTestTenant();
    const ctx = tenant.ctx(recruiter);
    const member = await createTestMember(tenant, "viewer");
    const denied = { code: "permission_denied", detail: { missing: "admin:*" } };
    await expect(perform(inviteMember, ctx, { email: "evil@b.test", roles: ["tenant-admin"] })).rejects.toMatchObject(
      denied,
    );
    await expect(
      perform(changeMember, ctx, { id: member.memberId, roles: ["viewer", "tenant-admin"] }),
    ).rejects.toMatchObject(denied);
    await expect(
      perform(createRole, ctx, { slug: "mine", name: "Mine", permissions: ["admin:*"] }),
    ).rejects.toMatchObject(denied);
    await expect(
      perform(createRole, ctx, { slug: "mine", name: "Mine", permissions: ["members:*"] }),
    ).rejects.toMatchObject({
      detail: { missing: "members:*" },
    });
    expect((await entriesOf(tenant.tenantId, "access.denied")).length).toBe(4);
    // Negative control: what they hold they may give.
    await perform(inviteMember, ctx, { email: "fine@b.test", roles: ["viewer"] });
    await perform(createRole, ctx, { slug: "mine", name: "Mine", permissions: ["servers:read"] });
    await perform(changeMember, ctx, { id: member.memberId, roles: ["viewer", "mine"] });
    await expect(
      perform(changeRole, ctx, { slug: "mine", permissions: ["servers:read", "servers:write"] }),
    ).rejects.toMatchObject({
      detail: { missing: "servers:write" },
    });
  });

  it("nor takes from, suspends or reinstates somebody above them", async () => {
    const tenant = await createTestTenant();
    const ctx = tenant.ctx(recruiter);
    await createTestMember(tenant, "tenant-admin");
    const admin = tenant.admin.memberId;
    await expect(perform(changeMember, ctx, { id: admin, status: "suspended" })).rejects.toMatchObject({
      code: "permission_denied",
    });
    await expect(perform(changeMember, ctx, { id: admin, roles: ["viewer"] })).rejects.toMatchObject({
      code: "permission_denied",
    });
    expect((await perform(listMembers, ctx, {})).items.find(({ id }) => id === admin)?.roles).toEqual(["tenant-admin"]);
  });

  it("not even a tenant's admin hands on the platform", async () => {
    const tenant = await createTestTenant();
    const attempt = perform(createRole, tenant.ctx(), { slug: "root", name: "Root", permissions: ["platform:*"] });
    await expect(attempt).rejects.toMatchObject({ code: "permission_denied", detail: { missing: "platform:*" } });
  });

  it("nor a platform admin who rules a tenant too: no role of a tenant reaches beyond it", async () => {
    const tenant = await createTestTenant();
    const both = tenant.ctx(["admin:*", "platform:*"]);
    const refused = { code: "invalid_input", detail: { issues: [{ path: "permissions.1" }] } };
    const permissions = ["files:read", "platform:write"];
    await expect(perform(createRole, both, { slug: "root", name: "Root", permissions })).rejects.toMatchObject(refused);
    await perform(createRole, both, { slug: "root", name: "Root", permissions: ["files:read"] });
    await expect(perform(changeRole, both, { slug: "root", permissions })).rejects.toMatchObject(refused);
  });

  it("and a role that was given such a permission once gives its holders nothing by it", async () => {
    const tenant = await createTestTenant();
    const { tenantId } = tenant;
    const member = await createTestMember(tenant, "viewer");
    await inTenant(tenantId, async (tx) => {
      const roleId = newId();
      const permissions = ["files:read", "platform:*"];
      await tx.role.create({ data: { tenantId, id: roleId, slug: "root", name: "Root", permissions } });
      await tx.memberRole.create({ data: { tenantId, memberId: member.memberId, roleId } });
    });
    const scopes = ["files:read"];
    const { secret } = await perform(
      mintApiToken,
      { ...member.ctx, permissions: new Set(scopes) },
      { name: "x", scopes },
    );
    const held = (await verifyApiToken(secret))?.membership;
    expect(held === undefined ? [] : [...permissionsOf(held)]).toContain("files:read");
    expect(held === undefined ? [] : [...permissionsOf(held)]).not.toContain("platform:*");
  });
});

describe("agents of a member who leaves", () => {
  const leaving = async () => {
    const tenant = await createTestTenant();
    const leaver = await createTestMember(tenant, "viewer");
    const own = [await createTestAgent(tenant), await createTestAgent(tenant), await createTestAgent(tenant)] as const;
    const kept = await createTestAgent(tenant);
    const { tenantId } = tenant;
    const to = (id: string, data: { ownerMemberId?: string; status?: string }) =>
      inTenant(tenantId, (tx) => tx.agent.update({ where: { tenantId_id: { tenantId, id } }, data }));
    for (const { agentId } of own) await to(agentId, { ownerMemberId: leaver.memberId });
    await to(own[2].agentId, { status: "suspended" });
    const opens = async () => {
      const opened: boolean[] = [];
      for (const { key } of [...own, kept]) opened.push((await checkAgentKey(key)).ok);
      return opened;
    };
    return { tenant, leaver, own, opens };
  };

  it("keep working unless they are suspended with them, each with an entry, their keys at once; and stay so", async () => {
    const { tenant, leaver, own, opens } = await leaving();
    const ctx = tenant.ctx();
    const id = leaver.memberId;
    const suspend = { id, status: "suspended", reason: "left" };
    expect(await perform(changeMember, ctx, suspend)).toMatchObject({ status: "suspended", suspendedAgents: [] });
    expect(await opens()).toEqual([true, true, false, true]);

    const { suspendedAgents } = await perform(changeMember, ctx, { ...suspend, suspendAgents: true });
    const slugs = [own[0].slug, own[1].slug].sort();
    expect(suspendedAgents).toEqual(slugs);
    expect(await opens()).toEqual([false, false, false, true]);
    const told = (await readTrail(tenant.tenantId)).filter(({ type }) => type === "agent.suspended");
    expect(told.map(({ target }) => target)).toEqual(slugs);
    for (const { text, payload } of told) {
      expect(text).toContain('"reason":"left"');
      expect(payload).toMatchObject({ before: { status: "active" }, after: { status: "suspended" } });
    }
    await perform(changeMember, ctx, { id, status: "active" });
    expect(await opens()).toEqual([false, false, false, true]);
  });

  it("are suspended by those alone who may suspend each of them, or nothing happens", async () => {
    const { tenant, leaver, opens } = await leaving();
    const act = { id: leaver.memberId, status: "suspended", suspendAgents: true };
    const held = ["members:write", ...tenant.ctx("developer").permissions];
    const without = (missing: string) => [...held, "access:write"].filter((permission) => permission !== missing);
    for (const missing of ["agents:write", "access:write"]) {
      await expect(perform(changeMember, tenant.ctx(without(missing)), act)).rejects.toMatchObject({
        detail: { missing },
      });
    }
    expect(await opens()).toEqual([true, true, false, true]);
    const { items } = await perform(listMembers, tenant.ctx(), {});
    expect(items.find(({ id }) => id === leaver.memberId)?.status).toBe("active");
    await expect(perform(changeMember, tenant.ctx(), { ...act, status: undefined })).rejects.toMatchObject({
      code: "invalid_input",
      detail: { issues: [{ path: "suspendAgents" }] },
    });
    await perform(changeMember, tenant.ctx(without("")), act);
    expect(await opens()).toEqual([false, false, false, true]);
  });
});

describe("the last admin", () => {
  it("cannot be suspended, demoted, nor both of two at once", async () => {
    const tenant = await createTestTenant();
    const ctx = tenant.ctx();
    const only = tenant.admin.memberId;
    await expect(perform(changeMember, ctx, { id: only, status: "suspended" })).rejects.toMatchObject({
      code: "conflict",
    });
    await expect(perform(changeMember, ctx, { id: only, roles: ["viewer"] })).rejects.toMatchObject({
      code: "conflict",
    });
    const second = await createTestMember(tenant, "tenant-admin");
    const both = await Promise.allSettled([
      perform(changeMember, ctx, { id: only, roles: ["viewer"] }),
      perform(changeMember, ctx, { id: second.memberId, roles: ["viewer"] }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const members = (await perform(listMembers, ctx, {})).items;
    expect(members.filter(({ roles }) => roles.includes("tenant-admin"))).toHaveLength(1);
  });

  it("cannot be undone through the role they hold either, nor replaced by one whose grant expires", async () => {
    const tenant = await createTestTenant();
    const ctx = tenant.ctx();
    const { tenantId } = tenant;
    await perform(createRole, ctx, { slug: "boss", name: "Boss", permissions: ["admin:*"] });
    await perform(changeMember, ctx, { id: tenant.admin.memberId, roles: ["boss"] });
    await expect(perform(changeRole, ctx, { slug: "boss", permissions: ["servers:read"] })).rejects.toMatchObject({
      code: "conflict",
    });
    const second = await createTestMember(tenant, "tenant-admin");
    const expiresAt = new Date(Date.now() + 60_000);
    await inTenant(tenantId, (tx) =>
      tx.memberRole.updateMany({ where: { tenantId, memberId: second.memberId }, data: { expiresAt } }),
    );
    await expect(perform(changeMember, ctx, { id: tenant.admin.memberId, status: "suspended" })).rejects.toMatchObject({
      code: "conflict",
    });
  });
});

describe("roles", () => {
  it("are given or deleted, never both at the same moment, whichever comes first", async () => {
    const tenant = await createTestTenant();
    const { tenantId } = tenant;
    const ctx = tenant.ctx();
    for (const slug of ["one", "two"])
      await perform(createRole, ctx, { slug, name: slug, permissions: ["files:read"] });
    const email = `${uniqueSlug()}@b.test`;
    await perform(inviteMember, ctx, { email, roles: ["two", "viewer"] });
    const agent = await perform(createAgent, ctx, { slug: "clerk", name: "Clerk" });
    const said = (answer: Promise<unknown>) =>
      answer.then(
        () => "done",
        (cause: unknown) => (isAppError(cause) ? cause.code : cause),
      );
    const give = (roles: readonly string[]) => said(perform(changeAgent, ctx, { id: agent.id, roles: [...roles] }));
    const remove = (slug: string) => said(perform(deleteRole, ctx, { slug }));
    const created = (slug: string) => said(perform(createAgent, ctx, { slug, name: "C", roles: ["two"] }));
    const signedIn = async () => {
      const person = {
        provider: "oidc",
        issuer: "https://i.test",
        subject: newId(),
        email,
        claimedEmail: email,
        name: "P",
      };
      return said(admitPerson(person, {}));
    };

    let letGo = await holdHead(tenantId);
    const given = give(["one"]);
    await waitingFor(1);
    const refused = remove("one");
    await waitingFor(2);
    await letGo();
    expect(await Promise.all([given, refused])).toEqual(["done", "conflict"]);

    letGo = await holdHead(tenantId);
    const removed = remove("two");
    await waitingFor(1);
    const late = [give(["one", "two"]), created("second"), signedIn()];
    await waitingFor(4);
    await letGo();
    expect(await Promise.all([removed, ...late])).toEqual(["done", "invalid_input", "invalid_input", "done"]);
    const joined = (await perform(listMembers, ctx, {})).items.find((member) => member.email === email);
    expect(joined?.roles).toEqual(["viewer"]);
  });

  it("are made, changed and deleted, announced, and recorded; built-in ones stay", async () => {
    const tenant = await createTestTenant();
    const ctx = tenant.ctx();
    const heard: string[] = [];
    const stop = bus.subscribe((message) => {
      if (message.topic === "role.changed" && message.tenantId === tenant.tenantId) heard.push(message.topic);
    });
    const role = await perform(createRole, ctx, {
      slug: "reader",
      name: "Reader",
      permissions: ["files:read", "files:read"],
    });
    expect(role.permissions).toEqual(["files:read"]);
    await expect(perform(createRole, ctx, { slug: "reader", name: "Again", permissions: [] })).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await perform(changeRole, ctx, { slug: "reader", permissions: ["mail:send"] })).toMatchObject({
      permissions: ["mail:send"],
      name: "Reader",
    });
    for (const attempt of [
      () => perform(changeRole, ctx, { slug: "viewer", permissions: ["admin:*"] }),
      () => perform(deleteRole, ctx, { slug: "tenant-admin" }),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: "conflict" });
    }
    const member = await createTestMember(tenant, "viewer");
    await perform(changeMember, ctx, { id: member.memberId, roles: ["reader"] });
    await expect(perform(deleteRole, ctx, { slug: "reader" })).rejects.toMatchObject({ code: "conflict" });
    await perform(changeMember, ctx, { id: member.memberId, roles: [] });
    await perform(deleteRole, ctx, { slug: "reader" });
    stop();
    expect(heard.length).toBe(5);
    expect((await perform(listRoles, ctx, {})).items.map(({ slug }) => slug).sort()).toEqual([
      "compliance-officer",
      "developer",
      "tenant-admin",
      "viewer",
    ]);
    for (const type of ["role.created", "role.changed", "role.deleted"])
      expect(await entriesOf(tenant.tenantId, type)).toHaveLength(1);
    expect(await entriesOf(tenant.tenantId, "member.changed")).toHaveLength(2);
  });

  it("count who holds them", async () => {
    const tenant = await createTestTenant();
    const agent = await createTestAgent(tenant, ["files:read"]);
    const roles = (await perform(listRoles, tenant.ctx(), {})).items;
    expect(roles.find(({ id }) => id === agent.roleId)).toMatchObject({
      agentCount: 1,
      memberCount: 0,
      builtIn: false,
    });
    expect(roles.find(({ slug }) => slug === "tenant-admin")).toMatchObject({ memberCount: 1, builtIn: true });
  });
});

describe("API tokens", () => {
  const bearer = (secret: string) => new Headers({ authorization: `Bearer ${secret}` });

  it("may do what is in their scopes and still held, in their tenant only", async () => {
    const tenant = await createTestTenant();
    const other = await createTestTenant();
    const member = await createTestMember(tenant, "developer");
    const minted = await perform(mintApiToken, member.ctx, {
      name: "ci",
      scopes: ["servers:read", "agents:write"],
      expiresInDays: 1,
    });
    expect(minted.secret).toMatch(/^cst_[A-Za-z0-9_-]{43}$/);
    expect(minted.prefix).toBe(minted.secret.slice(0, 10));
    const ctx = await contextFromHeaders(bearer(minted.secret));
    expect([...ctx.permissions].sort()).toEqual(["agents:write", "servers:read"]);
    expect(ctx).toMatchObject({
      tenantId: tenant.tenantId,
      actor: { authMethod: "api_token", credentialId: minted.id, memberId: member.memberId },
    });
    const elsewhere = new Headers({ ...Object.fromEntries(bearer(minted.secret)), "x-tenant": other.slug });
    await expect(contextFromHeaders(elsewhere)).rejects.toMatchObject({ code: "not_found" });
    // A tenant named in the address is as good as one named in the header: it is never quietly another.
    await expect(contextFromHeaders(bearer(minted.secret), other.slug)).rejects.toMatchObject({ code: "not_found" });
    expect(await contextFromHeaders(bearer(minted.secret), tenant.slug)).toMatchObject({ tenantId: tenant.tenantId });

    // Which of somebody's tokens acted can be told from the trail.
    await perform(createAgent, ctx, { slug: "by-token", name: "By token" });
    const made = (await readTrail(tenant.tenantId)).find(({ type }) => type === "agent.created");
    expect(made?.text).toContain(`"credential_id":"${minted.id}"`);

    // What the owner loses, the token loses.
    await perform(changeMember, tenant.ctx(), { id: member.memberId, roles: ["viewer"] });
    expect([...(await contextFromHeaders(bearer(minted.secret))).permissions]).toEqual(["servers:read"]);
    await perform(changeMember, tenant.ctx(), { id: member.memberId, status: "suspended" });
    await expect(contextFromHeaders(bearer(minted.secret))).rejects.toMatchObject({ code: "unauthenticated" });
    await perform(changeMember, tenant.ctx(), { id: member.memberId, status: "active" });
    expect(await verifyApiToken(minted.secret, Date.now() + 2 * 86_400_000)).toBeNull();
    expect(await verifyApiToken(minted.secret)).not.toBeNull();
  });

  it("never exceed their minter, nor mint others, and are shown once", async () => {
    const tenant = await createTestTenant();
    const member = await createTestMember(tenant, "viewer");
    await expect(perform(mintApiToken, member.ctx, { name: "x", scopes: ["servers:*"] })).rejects.toMatchObject({
      code: "permission_denied",
    });
    const minted = await perform(mintApiToken, member.ctx, { name: "x", scopes: ["servers:read"] });
    const asToken = await contextFromHeaders(bearer(minted.secret));
    await expect(perform(mintApiToken, asToken, { name: "y", scopes: ["servers:read"] })).rejects.toMatchObject({
      code: "permission_denied",
    });
    const listed = await perform(listApiTokens, member.ctx, {});
    expect(listed.items).toHaveLength(1);
    expect(JSON.stringify(listed)).not.toContain(minted.secret.slice(12));
    expect((await perform(listApiTokens, tenant.ctx(), {})).items).toEqual([]);
  });

  it("know nothing of their owner's other tokens and tenants, and end none but themselves", async () => {
    const [tenant, other] = [await createTestTenant(), await createTestTenant()];
    const { memberId, userId, ctx } = await createTestMember(tenant, "viewer");
    await inPlatform((tx) => tx.member.create({ data: { tenantId: other.tenantId, id: newId(), userId } }));
    const mint = (name: string) => perform(mintApiToken, ctx, { name, scopes: ["servers:read"] });
    const [mine, sibling] = [await mint("mine"), await mint("sibling")];
    const asToken = await contextFromHeaders(bearer(mine.secret));
    expect((await perform(getMe, asToken, {})).tenants.map(({ slug }) => slug)).toEqual([tenant.slug]);
    expect((await perform(getMe, ctx, {})).tenants).toHaveLength(2);
    expect((await perform(listApiTokens, asToken, {})).items.map(({ id }) => id)).toEqual([mine.id]);
    await expect(perform(revokeApiToken, asToken, { id: sibling.id })).rejects.toMatchObject({
      code: "permission_denied",
      detail: { missing: "members:write" },
    });
    expect((await verifyApiToken(sibling.secret))?.membership.memberId).toBe(memberId);
    await perform(revokeApiToken, asToken, { id: mine.id });
    expect(await verifyApiToken(mine.secret)).toBeNull();
  });

  it("end when revoked by their owner or a member admin, by nobody else", async () => {
    const tenant = await createTestTenant();
    const [owner, peer] = [await createTestMember(tenant, "viewer"), await createTestMember(tenant, "viewer")];
    const first = await perform(mintApiToken, owner.ctx, { name: "a", scopes: ["servers:read"] });
    const second = await perform(mintApiToken, owner.ctx, { name: "b", scopes: ["servers:read"] });
    await expect(perform(revokeApiToken, peer.ctx, { id: first.id })).rejects.toMatchObject({
      code: "permission_denied",
    });
    expect(await verifyApiToken(first.secret)).not.toBeNull();
    await perform(revokeApiToken, owner.ctx, { id: first.id });
    await perform(revokeApiToken, tenant.ctx(), { id: second.id });
    expect([await verifyApiToken(first.secret), await verifyApiToken(second.secret)]).toEqual([null, null]);
    expect(await entriesOf(tenant.tenantId, "api_token.revoked")).toHaveLength(2);
    expect(await verifyApiToken(`cst_${"A".repeat(43)}`)).toBeNull();
    expect(await verifyApiToken("cst_short")).toBeNull();
  });
});

it("lists members by page", async () => {
  const tenant = await createTestTenant();
  for (let count = 0; count < 4; count += 1) await createTestMember(tenant, "viewer");
  const first = await perform(listMembers, tenant.ctx(), { limit: 3 });
  expect(first.items).toHaveLength(3);
  const second = await perform(listMembers, tenant.ctx(), { limit: 3, cursor: first.nextCursor });
  expect(second).toMatchObject({ nextCursor: null });
  expect(new Set([...first.items, ...second.items].map(({ id }) => id)).size).toBe(5);
  await expect(perform(listMembers, tenant.ctx(), { cursor: uniqueSlug() })).rejects.toMatchObject({
    code: "invalid_input",
  });
});
