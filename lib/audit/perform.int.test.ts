import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { flushDenials } from "@/lib/audit/denials";
import { perform } from "@/lib/audit/perform";
import { closeTrail } from "@/lib/audit/trail";
import { walkTrail } from "@/lib/audit/verify-trail";
import { type BusMessage, bus } from "@/lib/core/bus";
import { actorId } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { Outdated } from "@/lib/core/verb";
import { inTenant } from "@/lib/db/in-tenant";
import { definePlatformWrite, defineRead, defineWrite } from "@/lib/db/verbs";
import { createPlatformAdmin, createTestTenant, uniqueSlug } from "@/lib/testing/factories";
import { readTrail } from "@/lib/testing/read-trail";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();
afterAll(closeTrail);

const createRole = defineWrite({
  permission: "access:write",
  input: z.object({ slug: z.string().min(2), fail: z.boolean().default(false) }),
  prepare: async (_ctx, input) => input.slug.toUpperCase(),
  run: async (tx, ctx, input, name) => {
    await tx.role.create({ data: { tenantId: ctx.tenantId, id: newId(), slug: input.slug, name } });
    if (input.fail) throw new AppError("conflict", "On purpose.");
    return {
      result: { name },
      audit: {
        action: "role.created",
        target: input.slug,
        before: null,
        after: { name, note: "sealed words" },
        reason: "test",
      },
      publish: [{ topic: "role.changed", tenantId: ctx.tenantId }],
    };
  },
});
/** Takes what was prepared only if it is of this time or a later one. */
const makeRoleOf = (time: number) => {
  let prepared = 0;
  return defineWrite({
    permission: "access:write",
    input: z.object({ slug: z.string() }),
    prepare: async () => ++prepared,
    run: async (tx, { tenantId }, { slug }, seen) => {
      await tx.role.create({ data: { tenantId, id: newId(), slug, name: `Of ${seen}` } });
      if (seen < time) throw new Outdated("Changed meanwhile.");
      return { result: seen, audit: { action: "role.created", target: slug } };
    },
  });
};
const countRoles = defineRead({
  permission: "access:read",
  input: z.object({}),
  run: (tx) => tx.role.count(),
  audit: (_input, result) => ({ action: "roles.counted", target: String(result) }),
});
const renameTenant = definePlatformWrite({
  permission: "platform:tenants",
  input: z.object({ id: z.uuid(), name: z.string() }),
  run: async (tx, _ctx, { id, name }) => {
    await tx.tenant.update({ where: { id }, data: { name } });
    return { result: null, audit: { action: "tenant.renamed", target: id, after: { name } } };
  },
});

const rolesNamed = (tenantId: string, slug: string) =>
  inTenant(tenantId, (tx) => tx.role.count({ where: { tenantId, slug } }));

describe("perform", () => {
  it("prepares once more, and not again, what speaks of something that was changed meanwhile", async () => {
    const tenant = await createTestTenant();
    const [once, twice] = [uniqueSlug(), uniqueSlug()];
    expect(await perform(makeRoleOf(2), tenant.ctx(), { slug: once })).toBe(2);
    await expect(perform(makeRoleOf(3), tenant.ctx(), { slug: twice })).rejects.toMatchObject({ code: "conflict" });
    expect([await rolesNamed(tenant.tenantId, once), await rolesNamed(tenant.tenantId, twice)]).toEqual([1, 0]);
    const entries = await readTrail(tenant.tenantId);
    expect(entries.map(({ type, target }) => [type, target])).toEqual([["role.created", once]]);
  });

  it("changes, records and announces, in that order", async () => {
    const tenant = await createTestTenant();
    const heard: BusMessage[] = [];
    const stop = bus.subscribe((message) => heard.push(message));
    const slug = uniqueSlug();
    expect(await perform(createRole, tenant.ctx(), { slug })).toEqual({ name: slug.toUpperCase() });
    stop();
    const [entry] = await readTrail(tenant.tenantId);
    expect(entry).toMatchObject({
      type: "role.created",
      outcome: "success",
      target: slug,
      payload: { after: { note: "sealed words" } },
    });
    expect(heard.map(({ topic }) => topic)).toEqual(expect.arrayContaining(["entry.appended", "role.changed"]));
    const [row] = await inTenant(tenant.tenantId, (tx) =>
      tx.auditEntry.findMany({ where: { tenantId: tenant.tenantId } }),
    );
    expect(Buffer.from(row?.record ?? []).toString()).not.toContain("sealed words");
    expect(await walkTrail(tenant.tenantId)).toMatchObject({ valid: true, entries: 1 });
  });

  it("leaves neither the change nor the entry when the verb fails", async () => {
    const tenant = await createTestTenant();
    const slug = uniqueSlug();
    await expect(perform(createRole, tenant.ctx(), { slug, fail: true })).rejects.toMatchObject({ code: "conflict" });
    expect(await rolesNamed(tenant.tenantId, slug)).toBe(0);
    expect(await readTrail(tenant.tenantId)).toEqual([]);
  });

  it("refuses who lacks the permission, says which, and records it", async () => {
    const tenant = await createTestTenant();
    const slug = uniqueSlug();
    const refused = await perform(createRole, tenant.ctx("viewer"), { slug }, "POST /api/v1/roles").catch(
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({
      code: "permission_denied",
      detail: { missing: "access:write", entry: expect.any(String) },
    });
    expect(await rolesNamed(tenant.tenantId, slug)).toBe(0);
    const [entry] = await readTrail(tenant.tenantId);
    expect(entry).toMatchObject({ type: "access.denied", outcome: "denied", target: "POST /api/v1/roles" });
    // Control: the same act with the permission passes.
    await perform(createRole, tenant.ctx(["access:write"]), { slug });
    expect(await rolesNamed(tenant.tenantId, slug)).toBe(1);
  });

  it("counts the refusals of somebody who does not stop, whatever the session or token, and names their entry in each answer", async () => {
    const tenant = await createTestTenant();
    const { actor, ...viewer } = tenant.ctx("viewer");
    const ask = (at: number, permission = "access:write") => {
      // Another session each time, as one who signs in again and again has.
      const again = { ...viewer, actor: { ...actor, credentialId: `session-${at}` } } as const;
      const verb = { ...createRole, permission };
      return perform(verb, again, { slug: uniqueSlug() }).catch((error: AppError) => error.detail.entry);
    };
    const named: unknown[] = [];
    for (let at = 0; at < 25; at += 1) named.push(await ask(at));
    named.push(await ask(25, "members:write"));
    expect(new Set(named.slice(0, 10)).size).toBe(10);
    expect([...new Set(named.slice(10))]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    expect(await readTrail(tenant.tenantId)).toHaveLength(10);
    await flushDenials();
    const trail = await readTrail(tenant.tenantId);
    expect(trail).toHaveLength(11);
    const record = JSON.parse(trail.at(-1)?.text ?? "");
    expect(record).toMatchObject({
      event_id: named[10],
      event_type: "access.denied",
      count: 16,
      actor_id: actorId(actor),
    });
    // Of many together is said what is true of each.
    expect([record.permission, record.credential_id]).toEqual([undefined, undefined]);
  });

  it("lets nobody in a tenant act on the platform, admins included", async () => {
    const tenant = await createTestTenant();
    const input = { id: tenant.tenantId, name: "renamed" };
    await expect(perform(renameTenant, tenant.ctx("tenant-admin"), input)).rejects.toMatchObject({
      code: "permission_denied",
    });
    const { ctx } = await createPlatformAdmin();
    await perform(renameTenant, ctx, input);
    const entries = await readTrail(PLATFORM_TENANT_ID);
    expect(entries.at(-1)).toMatchObject({
      type: "tenant.renamed",
      target: tenant.tenantId,
      payload: { after: { name: "renamed" } },
    });
  });

  it("names every bad field and its rule", async () => {
    const tenant = await createTestTenant();
    const refused = await perform(createRole, tenant.ctx(), { slug: "x", fail: "no" }).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: "invalid_input",
      detail: {
        issues: [
          { path: "slug", rule: expect.any(String) },
          { path: "fail", rule: expect.any(String) },
        ],
      },
    });
  });

  it("tells a stranger to sign in and leaves no entry", async () => {
    const tenant = await createTestTenant();
    const stranger = { ...tenant.ctx(["access:write"]), actor: { kind: "anonymous" } as const };
    await expect(perform(createRole, stranger, { slug: "ab" })).rejects.toMatchObject({ code: "unauthenticated" });
    expect(await readTrail(tenant.tenantId)).toEqual([]);
  });

  it("records a read that asks for it", async () => {
    const tenant = await createTestTenant();
    const count = await perform(countRoles, tenant.ctx(), {});
    expect((await readTrail(tenant.tenantId))[0]).toMatchObject({ type: "roles.counted", target: String(count) });
  });

  it("keeps one gapless chain under many verbs at once", async () => {
    const tenant = await createTestTenant();
    await Promise.all(Array.from({ length: 30 }, () => perform(createRole, tenant.ctx(), { slug: uniqueSlug() })));
    expect(await walkTrail(tenant.tenantId)).toMatchObject({ valid: true, entries: 30 });
  });
});
