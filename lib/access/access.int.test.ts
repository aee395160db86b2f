import { beforeEach, describe, expect, it, vi } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { changeRoleGrants } from "@/lib/access/change-role-grants";
import { explainAccess } from "@/lib/access/explain";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { getAccessMatrix, getPermissionMap, listPermissionMapVersions } from "@/lib/access/read";
import { revertPermissionMap } from "@/lib/access/revert-permission-map";
import { perform } from "@/lib/audit/perform";
import { bus } from "@/lib/core/bus";
import { newId } from "@/lib/core/ids";
import { pool } from "@/lib/db/client";
import { inPlatform, inTenant } from "@/lib/db/in-tenant";
import { liftKillSwitch, throwKillSwitch } from "@/lib/kill-switches/throw-kill-switch";
import { createTestAgent, createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { readTrail } from "@/lib/testing/read-trail";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let tenant: TestTenant;
let other: TestTenant;

async function addServer(at: TestTenant, slug: string, tools: readonly string[], status = "enabled"): Promise<string> {
  const id = newId();
  const { tenantId } = at;
  await inTenant(tenantId, async (tx) => {
    await tx.server.create({
      data: { tenantId, id, slug, name: slug, transport: "http", url: "http://x.example", status },
    });
    const fixed = { tenantId, serverId: id, inputSchema: {}, definitionSha256: "0".repeat(64) };
    await tx.serverTool.createMany({
      data: tools.map((name) => ({ ...fixed, name, suggestedPermission: `${slug}:read` })),
    });
  });
  return id;
}

const addRole = (slug: string, permissions: readonly string[]) =>
  inTenant(tenant.tenantId, (tx) =>
    tx.role.create({
      data: { tenantId: tenant.tenantId, id: newId(), slug, name: slug, permissions: [...permissions] },
    }),
  );

beforeEach(async () => {
  [tenant, other] = [await createTestTenant(), await createTestTenant()];
  await addServer(tenant, "files", ["read_file", "write_file"]);
});

const change = (baseVersion: number, permission: string | null, tool = "read_file", at = tenant) =>
  perform(changePermissionMap, at.ctx(), {
    baseVersion,
    changes: [{ server: "files", tool, permission }],
    reason: "as agreed with the owner",
  });

describe("the permission map", () => {
  it("begins at version 0 with nothing mapped and grows by recorded versions", async () => {
    expect(await perform(getPermissionMap, tenant.ctx(), {})).toMatchObject({
      version: 0,
      tools: [{ permission: null }, { permission: null }],
    });
    expect(await change(0, "files:read")).toMatchObject({ version: 1, reason: "as agreed with the owner" });
    expect(await change(1, "files:write", "write_file")).toMatchObject({ version: 2 });
    const map = await currentPermissionMap(tenant.tenantId);
    expect([map.version, map.get("files", "read_file"), map.get("files", "write_file")]).toEqual([
      2,
      "files:read",
      "files:write",
    ]);
    expect((await perform(listPermissionMapVersions, tenant.ctx(), {})).map(({ version }) => version)).toEqual([2, 1]);
    expect(await perform(getPermissionMap, tenant.ctx(), { version: "1" })).toMatchObject({
      version: 1,
      tools: [{ permission: "files:read" }, { permission: null }],
    });
    const [first] = await readTrail(tenant.tenantId);
    expect(first).toMatchObject({
      type: "permission_map.changed",
      payload: {
        before: { version: 0, rules: { "files/read_file": null } },
        after: { version: 1, rules: { "files/read_file": "files:read" } },
      },
    });
  });

  it("refuses a draft on an old version, and changes nothing by it", async () => {
    await change(0, "files:read");
    await expect(change(0, "files:write")).rejects.toMatchObject({
      code: "stale_version",
      detail: { currentVersion: 1 },
    });
    expect((await currentPermissionMap(tenant.tenantId)).get("files", "read_file")).toBe("files:read");
  });

  it("lets exactly one of many drafts on the same version through", async () => {
    const answers = await Promise.allSettled(
      ["read", "write", "delete", "execute"].map((action) => change(0, `files:${action}`)),
    );
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const answer of answers)
      if (answer.status === "rejected") expect(answer.reason).toMatchObject({ code: "stale_version" });
    expect((await currentPermissionMap(tenant.tenantId)).version).toBe(1);
  });

  it("refuses tools nobody offers, other tenants' tools, the platform's namespace and changes that change nothing", async () => {
    await addServer(other, "secrets", ["peek"]);
    const refused = { code: "invalid_input" };
    await expect(change(0, "files:read", "no_such_tool")).rejects.toMatchObject(refused);
    const foreign = {
      baseVersion: 0,
      changes: [{ server: "secrets", tool: "peek", permission: "a:b" }],
      reason: "trying",
    };
    await expect(perform(changePermissionMap, tenant.ctx(), foreign)).rejects.toMatchObject(refused);
    await expect(change(0, "platform:write")).rejects.toMatchObject(refused);
    await expect(change(0, null)).rejects.toMatchObject(refused);
    await change(0, "files:read");
    await expect(change(1, "files:read")).rejects.toMatchObject(refused);
    expect((await currentPermissionMap(tenant.tenantId)).version).toBe(1);
    // The control: the same change where the tool exists.
    expect(await perform(changePermissionMap, other.ctx(), foreign)).toMatchObject({ version: 1 });
  });

  it("goes back by going forward, and a stale going-back is refused", async () => {
    await change(0, "files:read");
    await change(1, "files:write");
    const back = { version: 1, baseVersion: 2, reason: "the change was wrong" };
    await expect(perform(revertPermissionMap, tenant.ctx(), { ...back, baseVersion: 1 })).rejects.toMatchObject({
      code: "stale_version",
    });
    expect(await perform(revertPermissionMap, tenant.ctx(), back)).toMatchObject({
      version: 3,
      tools: [{ permission: "files:read" }, {}],
    });
    await expect(
      perform(revertPermissionMap, tenant.ctx(), { ...back, version: 9, baseVersion: 3 }),
    ).rejects.toMatchObject({ code: "not_found" });
    const all = await readTrail(tenant.tenantId);
    expect(all.at(-1)).toMatchObject({
      type: "permission_map.reverted",
      payload: { after: { version: 3, revertedTo: 1 } },
    });
  });
});

describe("mapping a tool that nobody approved yet", () => {
  const NEW = "new_tool";
  const at = { server: "files", tool: NEW, permission: "files:read" };
  const one = () => ({ tenantId: tenant.tenantId, name: NEW });
  const toolRow = () => inTenant(tenant.tenantId, (tx) => tx.serverTool.findFirstOrThrow({ where: one() }));
  const define = (data: object) => inTenant(tenant.tenantId, (tx) => tx.serverTool.updateMany({ where: one(), data }));
  const seen = async () => {
    const { tools } = await perform(getPermissionMap, tenant.ctx(), {});
    return tools.find(({ tool }) => tool === NEW)?.reviewSha256 ?? "";
  };
  const map = (changes: readonly object[], baseVersion = 0) =>
    perform(changePermissionMap, tenant.ctx(), { baseVersion, changes, reason: "as agreed with the owner" });
  const version = async () => (await currentPermissionMap(tenant.tenantId)).version;
  const CHANGED = { code: "definition_changed", detail: { issues: [{ path: "changes.1.reviewSha256" }] } };

  beforeEach(async () => {
    const { tenantId } = tenant;
    await inTenant(tenantId, async (tx) => {
      const { id } = await tx.server.findFirstOrThrow({ where: { tenantId, slug: "files" } });
      const said = { description: "Reads.", inputSchema: {}, definitionSha256: "1".repeat(64), approvedAt: null };
      await tx.serverTool.create({
        data: { tenantId, serverId: id, name: NEW, suggestedPermission: "files:read", ...said },
      });
    });
  });

  it("must name what was looked at, and says in the trail which definition was approved by whom", async () => {
    await expect(map([at])).rejects.toMatchObject({
      code: "invalid_input",
      detail: { issues: [{ path: "changes.0.reviewSha256" }] },
    });
    expect(await map([{ ...at, reviewSha256: await seen() }])).toMatchObject({ version: 1 });
    expect(await toolRow()).toMatchObject({ approvedAt: expect.any(Date), approvedBy: tenant.admin.email });
    expect((await readTrail(tenant.tenantId)).at(-1)).toMatchObject({
      type: "permission_map.changed",
      payload: { after: { approved: { [`files/${NEW}`]: "1".repeat(64) } } },
    });
    // Approved once, it is what is in force: nothing has to be named to map it again.
    await map([{ ...at, permission: null }], 1);
    expect(await map([at], 2)).toMatchObject({ version: 3 });
  });

  it.each([
    ["its digest", { definitionSha256: "2".repeat(64) }],
    ["its title alone", { title: "Delete everything" }],
  ])("approves nothing that changed since, by %s, and changes nothing else", async (_by, said) => {
    const before = await seen();
    await define(said);
    const both = [
      { server: "files", tool: "read_file", permission: "files:read" },
      { ...at, reviewSha256: before },
    ];
    await expect(map(both)).rejects.toMatchObject(CHANGED);
    expect([await version(), (await toolRow()).approvedAt]).toEqual([0, null]);
    expect(await map([{ ...at, reviewSha256: await seen() }])).toMatchObject({ version: 1 });
  });

  it("does not overtake a definition that is being stored", async () => {
    const { tenantId } = tenant;
    const before = await seen();
    let mapping: Promise<unknown> = Promise.resolve();
    await inTenant(tenantId, async (tx) => {
      await tx.server.updateMany({ where: { tenantId, slug: "files" }, data: { updatedAt: new Date() } });
      await tx.serverTool.updateMany({ where: one(), data: { definitionSha256: "2".repeat(64) } });
      const both = [
        { server: "files", tool: "read_file", permission: "files:read" },
        { ...at, reviewSha256: before },
      ];
      mapping = map(both).catch((cause: unknown) => cause);
      await vi.waitFor(async () => {
        const { rows } = await pool().query(
          "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        );
        expect(rows).toHaveLength(1);
      });
    });
    expect(await mapping).toMatchObject(CHANGED);
    expect(await version()).toBe(0);
  });

  it("cannot be done by going back: it is held until somebody has looked at it", async () => {
    await change(0, "files:read");
    await map([{ ...at, reviewSha256: await seen() }], 1);
    await map([{ ...at, permission: null }], 2);
    // Another server of the same name, or an earlier release's row: nobody approved what it says.
    await define({ definitionSha256: "3".repeat(64), approvedAt: null });
    const held: string[] = [];
    const off = bus.subscribe((message) => void held.push(message.topic));
    await perform(revertPermissionMap, tenant.ctx(), { version: 2, baseVersion: 3, reason: "the change was wrong" });
    off();
    expect(held).toContain("server.changed");
    expect(await toolRow()).toMatchObject({
      ...{ approvedAt: null, heldSha256: "3".repeat(64), heldAt: expect.any(Date) },
      heldDefinition: { title: null, description: "Reads.", inputSchema: {}, outputSchema: null, annotations: null },
    });
    const where = { tenantId: tenant.tenantId, name: "read_file" };
    const untouched = await inTenant(tenant.tenantId, (tx) => tx.serverTool.findFirstOrThrow({ where }));
    expect(untouched.heldSha256).toBeNull();
    const types = (await readTrail(tenant.tenantId)).map(({ type }) => type);
    expect(types.slice(-2)).toEqual(["tool_definition.held", "permission_map.reverted"]);
  });
});

describe("grants of roles", () => {
  const grant = (
    role: string,
    permission: string,
    held: Parameters<TestTenant["ctx"]>[0] = "tenant-admin",
    granted = true,
  ) =>
    perform(changeRoleGrants, tenant.ctx(held), {
      changes: [{ role, permission, granted }],
      reason: "needed for the job",
    });

  it("changes custom roles and says what they hold now", async () => {
    await addRole("clerk", ["files:read"]);
    const matrix = await grant("clerk", "files:write");
    expect(matrix.roles.find(({ slug }) => slug === "clerk")?.permissions).toEqual(["files:read", "files:write"]);
    const after = await grant("clerk", "files:read", "tenant-admin", false);
    expect(after.roles.find(({ slug }) => slug === "clerk")?.permissions).toEqual(["files:write"]);
  });

  it("refuses built-in and unknown roles", async () => {
    await expect(grant("viewer", "files:read")).rejects.toMatchObject({ code: "invalid_input" });
    await expect(grant("nobody", "files:read")).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("lets nobody give what they do not hold, and records the attempt", async () => {
    await addRole("clerk", []);
    const held = ["access:read", "access:write", "files:read"];
    for (const permission of ["files:write", "files:*", "admin:*"]) {
      await expect(grant("clerk", permission, held)).rejects.toMatchObject({
        code: "permission_denied",
        detail: { missing: permission },
      });
    }
    await expect(grant("clerk", "platform:*")).rejects.toMatchObject({ code: "invalid_input" });
    expect(await grant("clerk", "files:read", held)).toBeDefined();
    const denied = (await readTrail(tenant.tenantId)).filter(({ type }) => type === "access.denied");
    expect(denied).toHaveLength(3);
  });

  it("lets nobody take what they do not hold either", async () => {
    await addRole("chief", ["admin:*", "files:read"]);
    const held = ["access:read", "access:write", "files:read"];
    await expect(grant("chief", "admin:*", held, false)).rejects.toMatchObject({
      code: "permission_denied",
      detail: { missing: "admin:*" },
    });
    const matrix = await grant("chief", "files:read", held, false);
    expect(matrix.roles.find(({ slug }) => slug === "chief")?.permissions).toEqual(["admin:*"]);
  });

  it("leaves the tenant an admin, as every other change of roles does", async () => {
    const { tenantId, admin } = tenant;
    const { id: roleId } = await addRole("chief", ["admin:*"]);
    await inTenant(tenantId, async (tx) => {
      await tx.memberRole.deleteMany({ where: { tenantId, memberId: admin.memberId } });
      await tx.memberRole.create({ data: { tenantId, memberId: admin.memberId, roleId } });
    });
    await expect(grant("chief", "admin:*", "tenant-admin", false)).rejects.toMatchObject({ code: "conflict" });
    const matrix = await perform(getAccessMatrix, tenant.ctx(), {});
    expect(matrix.roles.find(({ slug }) => slug === "chief")?.permissions).toEqual(["admin:*"]);
  });

  it("is all or nothing, and loses no change that is made at the same time", async () => {
    await addRole("clerk", []);
    const mixed = [
      { role: "clerk", permission: "a:b", granted: true },
      { role: "viewer", permission: "a:b", granted: true },
    ];
    await expect(perform(changeRoleGrants, tenant.ctx(), { changes: mixed, reason: "mixed" })).rejects.toMatchObject({
      code: "invalid_input",
    });
    await Promise.all(["a:one", "a:two", "a:three"].map((permission) => grant("clerk", permission)));
    const matrix = await perform(getAccessMatrix, tenant.ctx(), {});
    expect(matrix.roles.find(({ slug }) => slug === "clerk")?.permissions).toEqual(["a:one", "a:three", "a:two"]);
  });
});

describe("explain", () => {
  const explain = (agent: string, tool = "read_file", server = "files") =>
    perform(explainAccess, tenant.ctx(), { agent, server, tool });
  const failing = (trace: Awaited<ReturnType<typeof explain>>) =>
    trace.steps.filter((step) => !step.ok).map(({ step }) => step);

  it("names the role that allows, and the permission that lacks", async () => {
    await change(0, "files:read");
    const { slug } = await createTestAgent(tenant, ["files:*"]);
    const yes = await explain(slug);
    expect(yes).toMatchObject({
      allow: true,
      needed: "files:read",
      missing: null,
      mapVersion: 1,
      via: [{ permission: "files:*" }],
    });
    const no = await explain(slug, "write_file");
    expect(no).toMatchObject({ allow: false, needed: "admin:*", rule: "unmapped", missing: "admin:*" });
    expect(failing(no)).toEqual(["permission"]);
    expect(no.steps.at(-1)?.link).toBe(`/${tenant.slug}/access?tab=matrix&server=files&q=write_file`);
  });

  it("says no where the server is closed, the tool unknown, the agent or the tenant suspended", async () => {
    await addServer(tenant, "drafts", ["x"], "draft");
    const { slug, agentId } = await createTestAgent(tenant, ["admin:*"]);
    expect((await explain(slug)).allow).toBe(true);
    expect(failing(await explain(slug, "x", "drafts"))).toEqual(["server"]);
    expect(failing(await explain(slug, "nothing"))).toEqual(["tool"]);
    expect(failing(await explain(slug, "x", "elsewhere"))).toEqual(["server", "tool"]);
    const { tenantId } = tenant;
    await inTenant(tenantId, (tx) =>
      tx.agent.update({ where: { tenantId_id: { tenantId, id: agentId } }, data: { status: "suspended" } }),
    );
    expect(failing(await explain(slug))).toEqual(["agent"]);
    await inPlatform((tx) => tx.tenant.update({ where: { id: tenantId }, data: { status: "suspended" } }));
    expect(failing(await explain(slug))).toEqual(["agent", "tenant"]);
  });

  it("says no where a definition waits for review", async () => {
    const { slug } = await createTestAgent(tenant, ["admin:*"]);
    await inTenant(tenant.tenantId, (tx) =>
      tx.serverTool.updateMany({
        where: { tenantId: tenant.tenantId, name: "read_file" },
        data: { heldSha256: "1".repeat(64) },
      }),
    );
    expect(failing(await explain(slug))).toEqual(["tool"]);
    expect((await explain(slug, "write_file")).allow).toBe(true);
  });

  it("says no where a kill switch stops the agent, the server, the tool or everything", async () => {
    const ctx = tenant.ctx();
    const { slug } = await createTestAgent(tenant, ["admin:*"]);
    const switches = [
      { kind: "agent", target: slug },
      { kind: "tenant", target: tenant.slug },
      { kind: "server", target: "files" },
      { kind: "tool", target: "files/read_file" },
    ] as const;
    for (const thrown of switches) {
      const { id } = await perform(throwKillSwitch, ctx, { ...thrown, reason: "odd answers" });
      const trace = await explain(slug);
      expect(failing(trace)).toEqual([thrown.kind]);
      expect(trace.allow).toBe(false);
      await perform(liftKillSwitch, ctx, { id, reason: "looked at" });
      expect((await explain(slug)).allow).toBe(true);
    }
    await perform(throwKillSwitch, ctx, { kind: "tool", target: "files/read_file", reason: "odd answers" });
    expect((await explain(slug, "write_file")).allow).toBe(true);
  });

  it("does not count a role that has run out", async () => {
    await change(0, "files:read");
    const { slug } = await createTestAgent(tenant, ["files:read"]);
    expect((await explain(slug)).allow).toBe(true);
    await inTenant(tenant.tenantId, (tx) =>
      tx.agentRole.updateMany({
        where: { tenantId: tenant.tenantId },
        data: { expiresAt: new Date(Date.now() - 1000) },
      }),
    );
    expect(await explain(slug)).toMatchObject({ allow: false, missing: "files:read" });
  });

  it("explains for roles and for oneself, but not for another tenant's agent", async () => {
    await change(0, "files:read");
    const ask = { server: "files", tool: "read_file" };
    expect(await perform(explainAccess, tenant.ctx(), { ...ask, roles: ["viewer"] })).toMatchObject({ allow: false });
    expect(await perform(explainAccess, tenant.ctx(), ask)).toMatchObject({
      allow: true,
      via: [{ role: "you", permission: "admin:*" }],
    });
    const foreign = await createTestAgent(other, ["admin:*"]);
    await expect(explain(foreign.slug)).rejects.toMatchObject({ code: "not_found" });
  });
});
