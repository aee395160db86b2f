import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "@/lib/core/ids";
import { checkSchema } from "@/lib/db/check-database";
import { databaseUrl } from "@/lib/db/client";
import { inPlatform, inTenant } from "@/lib/db/in-tenant";
import { warmKey } from "@/lib/db/tenant-keys";
import { createTestAgent, createTestTenant, type TestTenant, uniqueSlug } from "@/lib/testing/factories";
import { fingerprint, probe, tablesOf } from "@/lib/testing/row-security-probe";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

/** Every way a tenant can be missing or wrong. None of them may show or change anything. */
const WRONG_TENANTS = {
  "no tenant": null,
  "an emptied tenant": "",
  "a tenant that does not exist": "0199ffff-ffff-7fff-bfff-ffffffffffff",
  "a malformed tenant": "not-a-tenant",
  "an attempt at SQL": "' or true --",
  "a wildcard": "%",
} as const;

/** What the platform's role may do across tenants, and nothing else. */
const PLATFORM_MAY = {
  agent_keys: ["select", "update(last_used_at)"],
  agent_roles: ["select"],
  agents: ["select"],
  alert_notices: ["select(tenant_id, seq, channel_id, alert_id, state, next_at)"],
  alert_turns: ["select"],
  api_tokens: ["select", "update(last_used_at)"],
  call_minutes: ["select(tenant_id, level, at, reached, reached_failures, held_back, total_ms)"],
  gateway_processes: ["select", "insert", "update", "delete"],
  invitations: ["select", "insert", "update(accepted_at)"],
  member_roles: ["select", "insert"],
  members: ["select", "insert"],
  roles: ["select", "insert"],
  server_health: ["select(tenant_id, server_id, next_check_at, checked_by)"],
  servers: ["select(tenant_id, id, slug, status)"],
  sessions: ["select", "insert", "update", "delete"],
  tenants: ["select", "insert", "update"],
  user_identities: ["select", "insert", "update", "delete"],
  users: ["select", "insert", "update", "delete"],
};

/** A month of the trail; a day, month or year of figures. */
const PARTITION = /^(audit_entries|call_hours)_\d{4}_\d{2}$|^call_minutes_\d{4}_\d{2}_\d{2}$|^call_days_\d{4}$/;

let owner: pg.Client;
let clinic: TestTenant;
let bank: TestTenant;

beforeAll(async () => {
  clinic = await createTestTenant();
  bank = await createTestTenant();
  for (const tenant of [clinic, bank]) await fillEveryTable(tenant);
  owner = new pg.Client({ connectionString: databaseUrl() });
  await owner.connect();
});
afterAll(() => owner.end());

it("probes with a login that sees everything, and a row in every table", async () => {
  const { rows } = await owner.query("select rolsuper from pg_roles where rolname = current_user");
  expect(rows).toEqual([{ rolsuper: true }]);
  const empty = (await tablesOf(owner)).filter(({ row }) => row === undefined).map(({ name }) => name);
  const notPartitions = empty.filter((name) => !PARTITION.test(name));
  // A table that is empty proves nothing: give it a row in fillEveryTable.
  expect(notPartitions).toEqual([]);
});

it("has row security enabled and forced on every table of the catalog", async () => {
  const { rows } = await owner.query(
    `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
        and not (relrowsecurity and relforcerowsecurity)`,
  );
  expect(rows).toEqual([]);
  await checkSchema(owner);
});

describe.each(Object.entries(WRONG_TENANTS))("with %s", (_, tenant) => {
  it("the tenant role sees nothing and changes nothing", async () => {
    const before = await fingerprint(owner);
    expect(await probe(owner, { role: "countersign_tenant", tenant }, true)).toEqual({});
    expect(await fingerprint(owner)).toEqual(before);
  });

  it("the platform role has its list and nothing else", async () => {
    expect(await probe(owner, { role: "countersign_platform", tenant }, false)).toEqual(PLATFORM_MAY);
  });
});

describe("with another tenant", () => {
  it.each(["countersign_tenant", "countersign_platform"])("%s reaches no trail but that one's", async (role) => {
    for (const table of ["audit_entries", "audit_heads"]) {
      const { rows } = await asRole(role, bank.tenantId, `select distinct tenant_id from ${table}`);
      expect(rows).toEqual([{ tenant_id: bank.tenantId }]);
    }
  });

  it("the tenant role sees that tenant's rows only, and cannot touch or plant others", async () => {
    const before = await fingerprint(owner);
    const plain = await tablesOf(owner);
    for (const { name, columns } of plain.filter(({ name }) => !PARTITION.test(name))) {
      const key = name === "tenants" ? "id" : columns.includes("tenant_id") ? "tenant_id" : null;
      if (key === null) continue;
      const { rows } = await asRole("countersign_tenant", bank.tenantId, `select distinct ${key} as t from ${name}`);
      expect({ name, rows }).toEqual({ name, rows: [{ t: bank.tenantId }] });
      await expectNothing(`delete from ${name} where ${key} = '${clinic.tenantId}'`);
      await expectNothing(`update ${name} set ${key} = '${bank.tenantId}' where ${key} = '${clinic.tenantId}'`);
      await expectNothing(`update ${name} set ${key} = '${clinic.tenantId}'`);
      const sample = await owner.query(`select to_jsonb(t) as row from ${name} t where ${key} = $1`, [clinic.tenantId]);
      const planted = JSON.stringify({ ...sample.rows[0]?.row, id: newId() });
      await expectNothing(
        `insert into ${name} select * from jsonb_populate_record(null::${name}, '${planted.replaceAll("'", "''")}')`,
      );
    }
    expect(await fingerprint(owner)).toEqual(before);
  });

  it("the tenant role knows that tenant's people only", async () => {
    const { rows } = await asRole("countersign_tenant", bank.tenantId, "select email from users");
    expect(rows).toEqual([{ email: bank.admin.email }]);
  });
});

describe("the trail", () => {
  it.each(["countersign_tenant", "countersign_platform"])("cannot be changed by %s in its own tenant", async (role) => {
    for (const act of [
      "update audit_entries set hash = '\\x00'",
      "delete from audit_entries",
      "truncate audit_entries",
    ]) {
      await expect(asRole(role, clinic.tenantId, act)).rejects.toMatchObject({ code: "42501" });
    }
  });

  it("refuses even the superuser, in the whole and by partition", async () => {
    const { rows } = await owner.query<{ name: string }>("select tableoid::regclass::text as name from audit_entries");
    for (const table of ["audit_entries", rows[0]?.name]) {
      for (const act of [`update ${table} set hash = '\\x00'`, `delete from ${table}`, `truncate ${table}`]) {
        await expect(owner.query(act)).rejects.toThrow(/append-only/);
      }
    }
  });
});

describe("negative control", () => {
  afterAll(() => owner.query("drop table if exists leaky"));

  it("a table without row security is found by the probe, and refused at startup", async () => {
    await owner.query("create table leaky (tenant_id uuid, secret text)");
    await owner.query("insert into leaky values ($1, 'x')", [clinic.tenantId]);
    await owner.query("grant select, insert, update, delete on leaky to countersign_tenant");
    const through = await probe(owner, { role: "countersign_tenant", tenant: bank.tenantId }, false);
    expect(through["leaky"]).toEqual(["select", "insert", "update", "delete"]);
    await expect(checkSchema(owner)).rejects.toThrow(/table leaky has no forced row security/);
    await owner.query("alter table leaky enable row level security");
    await expect(checkSchema(owner)).rejects.toThrow(/table leaky/);
    await owner.query("alter table leaky force row level security");
    await checkSchema(owner);
  });
});

async function asRole(role: string, tenant: string, sql: string): Promise<pg.QueryResult> {
  await owner.query("begin");
  try {
    await owner.query(`set local role ${role}`);
    await owner.query("select set_config('app.tenant_id', $1, true)", [tenant]);
    const done = await owner.query(sql);
    await owner.query("commit");
    return done;
  } catch (cause) {
    await owner.query("rollback");
    throw cause;
  }
}

async function expectNothing(sql: string): Promise<void> {
  const touched = await asRole("countersign_tenant", bank.tenantId, sql).then(
    ({ rowCount }) => rowCount,
    (cause: { code?: string }) => (cause.code === "42501" ? 0 : cause.code),
  );
  expect({ sql, touched }).toEqual({ sql, touched: 0 });
}

async function fillEveryTable(tenant: TestTenant): Promise<void> {
  const { tenantId, admin } = tenant;
  await createTestAgent(tenant, ["files:read"]);
  await warmKey(tenantId, "credential");
  const expiresAt = new Date(Date.now() + 3_600_000);
  await inPlatform(async (tx) => {
    const session = { id: newId(), userId: admin.userId, authMethod: "oidc", issuer: "https://idp.test" };
    await tx.session.create({ data: { ...session, idleExpiresAt: expiresAt, expiresAt } });
    await tx.userIdentity.create({
      data: { issuer: "https://idp.test", subject: admin.userId, userId: admin.userId },
    });
    await tx.gatewayProcess.create({ data: { id: newId(), lockKey: 1n, version: "test" } });
  });
  await inTenant(tenantId, async (tx) => {
    const invitation = { tenantId, id: newId(), email: "new@example.test", invitedBy: admin.email };
    await tx.invitation.create({ data: { ...invitation, roleSlugs: ["viewer"], expiresAt } });
    const token = { tenantId, id: newId(), memberId: admin.memberId, name: "t", prefix: "cst_x" };
    await tx.apiToken.create({ data: { ...token, hash: randomBytes(32), scopes: ["audit:read"] } });
    const serverId = newId();
    await tx.server.create({ data: { tenantId, id: serverId, slug: uniqueSlug("s"), name: "s", transport: "http" } });
    const tool = { tenantId, serverId, name: "echo", inputSchema: {}, definitionSha256: "x" };
    await tx.serverTool.create({ data: { ...tool, suggestedPermission: "s:read" } });
    await tx.serverHealth.create({ data: { tenantId, serverId } });
    await tx.profile.create({ data: { tenantId, id: newId(), slug: uniqueSlug("p"), name: "p", tools: [] } });
    await tx.spentState.create({ data: { tenantId, id: newId(), expiresAt } });
    await tx.endedSession.create({ data: { tenantId, id: newId(), expiresAt } });
    await tx.toolSetting.create({ data: { tenantId, serverId, tool: "echo", cacheTtlMs: 1_000 } });
    await tx.rateLimit.create({ data: { tenantId, target: "tenant", perSecond: 100 } });
    const thrown = { tenantId, id: newId(), kind: "tool", target: "s/echo", thrownBy: admin.email };
    await tx.killSwitch.create({ data: thrown });
    await tx.alertRule.create({
      data: { tenantId, id: newId(), name: "r", severity: "critical", watch: "circuit_open" },
    });
    const alertId = newId();
    const alert = {
      ruleId: newId(),
      ruleName: "r",
      severity: "critical",
      subject: "s",
      reason: "r",
      since: new Date(),
    };
    await tx.alert.create({ data: { tenantId, id: alertId, state: "pending", ...alert } });
    await tx.alertEvent.create({
      data: { tenantId, id: newId(), alertId, at: new Date(), what: "pending", text: "t" },
    });
    const signal = { watch: "circuit_open", processId: newId(), since: new Date(), seenAt: new Date(), reason: "r" };
    await tx.alertSignal.create({ data: { tenantId, ...signal } });
    await tx.alertTurn.create({ data: { tenantId, nextAt: new Date() } });
    await tx.auditVerdict.create({ data: { tenantId, verifiedAt: new Date() } });
    const channelId = newId();
    await tx.alertChannel.create({ data: { tenantId, id: channelId, name: "ops", kind: "webhook", shown: "x" } });
    const noticeId = newId();
    const told = { event: "firing", severity: "critical", title: "t", text: "t", at: new Date() };
    await tx.alertNotice.create({ data: { tenantId, id: noticeId, channelId, alertId: newId(), ...told } });
    await tx.alertNoticeAttempt.create({ data: { tenantId, noticeId, number: 1 } });
    const version = { tenantId, version: 1, map: {}, sha256: "x", reason: "test", changedBy: admin.email };
    await tx.permissionMapVersion.create({ data: version });
    const counts = { calls: 1, successes: 1, failures: 0, denied: 0, cancelled: 0, unknown: 0, reached: 1 };
    const others = {
      reachedFailures: 0,
      heldBack: 0,
      unavailable: 0,
      cacheHits: 0,
      totalMs: 1,
      upstreamMs: 1,
      queueMs: 0,
    };
    const figures = { tenantId, level: 0, at: new Date(), id: newId(), ...counts, ...others };
    await tx.callMinute.create({ data: figures });
    await tx.callHour.create({ data: figures });
    await tx.callDay.create({ data: figures });
    await tx.callRollup.create({ data: { tenantId } });
    await tx.circuitChange.create({ data: { tenantId, id: newId(), at: new Date(), server: "s", state: "open" } });
    await tx.auditHead.create({ data: { tenantId, seq: 1n, hash: Buffer.alloc(32) } });
    const bytes = { record: Buffer.from("{}"), recordSha256: randomBytes(32), prevHash: Buffer.alloc(32) };
    const names = { phase: "admin", eventType: "test.made", outcome: "success", requestId: "r", searchText: "" };
    const actor = { actorType: "user", actorId: admin.userId, actorName: admin.email };
    const entry = { tenantId, seq: 1n, ts: new Date(), eventId: newId(), gatewayId: newId() };
    await tx.auditEntry.create({ data: { ...entry, ...names, ...actor, ...bytes, hash: randomBytes(32) } });
  });
}
