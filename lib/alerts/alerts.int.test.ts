import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { acknowledgeAlert } from "@/lib/alerts/acknowledge-alert";
import { changeAlertRule, createAlertRule, deleteAlertRule } from "@/lib/alerts/change-rule";
import { judgeTenant } from "@/lib/alerts/judge-tenant";
import { getAlert, listAlertRules, listAlerts } from "@/lib/alerts/read";
import type { AlertView } from "@/lib/alerts/schemas";
import { perform } from "@/lib/audit/perform";
import { closeTrail } from "@/lib/audit/trail";
import { createChannel } from "@/lib/channels/create-channel";
import { newId } from "@/lib/core/ids";
import { databaseUrl } from "@/lib/db/client";
import { inTenant } from "@/lib/db/in-tenant";
import { migrate, readMigrations } from "@/lib/db/migrate";
import { liftKillSwitch, throwKillSwitch } from "@/lib/kill-switches/throw-kill-switch";
import { createTestTenant } from "@/lib/testing/factories";
import { onServer, withFreshDatabase } from "@/lib/testing/fresh-database";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { readTrail } from "@/lib/testing/read-trail";
import { FAILED, storeCalls } from "@/lib/testing/stored-calls";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let world: World;
beforeEach(async () => {
  world = await createWorld({ files: { tools: ["read"] } });
  return () => world.close();
});
afterAll(closeTrail);

const ctx = (...held: string[]) => world.tenant.ctx(held.length === 0 ? "tenant-admin" : held);
/** Gives the tenant its turn now. */
const judged = async () => {
  const { tenantId } = world.tenant;
  await inTenant(tenantId, (tx) => tx.alertTurn.updateMany({ data: { nextAt: new Date(0) } }));
  expect(await judgeTenant(tenantId)).toBe(true);
};
const firing = async (): Promise<AlertView> => {
  await storeCalls(world.tenant.tenantId, Date.now(), 30, FAILED);
  await judged();
  const { items } = await perform(listAlerts, ctx(), {});
  const [alert] = items;
  if (alert === undefined) throw new Error("Nothing fired.");
  return alert;
};

describe("a list of alerts", () => {
  it("says first what is most pressing, and turns every page once", async () => {
    const alert = await firing();
    const switches: string[] = [];
    for (const target of ["files/read", "files"]) {
      const kind = target === "files" ? "server" : "tool";
      switches.push((await perform(throwKillSwitch, ctx(), { kind, target })).id);
    }
    await perform(createAlertRule, ctx(), { name: "Held", metric: "error_rate", threshold: 0.1, holdMinutes: 30 });
    await perform(createAlertRule, ctx(), {
      name: "Worst",
      metric: "error_rate",
      threshold: 0.2,
      severity: "critical",
    });
    await judged();
    await perform(liftKillSwitch, ctx(), { id: switches[0] });
    await judged();
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: readonly AlertView[]; nextCursor: string | null } = await perform(listAlerts, ctx(), {
        ...{ state: "all", limit: 2 },
        ...(cursor === null ? {} : { cursor }),
      });
      seen.push(...page.items.map(({ ruleName, state }) => `${ruleName}: ${state}`));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual([
      "Worst: firing",
      "Kill switch used: firing",
      "Failing calls: firing",
      "Held: pending",
      "Kill switch used: resolved",
    ]);
    const other = await perform(listAlerts, ctx(), { server: "notes", state: "all" });
    expect(other.items).toEqual([]);
    const stranger = await createTestTenant();
    await expect(perform(getAlert, stranger.ctx(), { id: alert.id })).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("acknowledging", () => {
  it("says who looks after it, is recorded, told to channels, and takes notes afterwards", async () => {
    const target = { kind: "webhook", url: "https://hooks.example.test/x" } as const;
    await perform(createChannel, ctx(), { name: "ops", events: ["firing", "resolved", "acknowledged"], target });
    const { id } = await firing();
    const who = world.tenant.admin.email;
    const acknowledged = await perform(acknowledgeAlert, ctx("alerts:acknowledge"), { id, note: "I am on it." });
    expect(acknowledged.acknowledged).toMatchObject({ by: who, note: "I am on it." });
    await perform(acknowledgeAlert, ctx(), { id, note: "It was the disk." });
    await expect(perform(acknowledgeAlert, ctx(), { id })).rejects.toMatchObject({ code: "conflict" });
    const { history, state } = await perform(getAlert, ctx("alerts:read"), { id });
    expect(state).toBe("firing");
    expect(history.map(({ what, who: by, text }) => [what, by, text]).slice(1)).toEqual([
      ["acknowledged", who, "I am on it."],
      ["note", who, "It was the disk."],
    ]);
    const notices = await inTenant(world.tenant.tenantId, (tx) => tx.alertNotice.findMany({ orderBy: { seq: "asc" } }));
    expect(notices.map(({ event, title }) => [event, title])).toEqual([
      ["firing", "Failing calls (files)"],
      ["acknowledged", "Acknowledged: Failing calls (files)"],
    ]);
    expect(notices[0]?.text).toBe(
      "The error rate of files was 100 % over the last 5 minutes (30 calls), above 5 %. Callers hit so far: 1.",
    );
    const entries = (await readTrail(world.tenant.tenantId)).filter(({ type }) => type.startsWith("alert."));
    expect(entries).toMatchObject([
      { type: "alert.acknowledged", target: "Failing calls (files)", text: expect.stringContaining("I am on it.") },
      { type: "alert.annotated", target: "Failing calls (files)", text: expect.stringContaining("It was the disk.") },
    ]);
  });

  it("is for those who may, and reading for those who may read", async () => {
    const { id } = await firing();
    const act = perform(acknowledgeAlert, ctx("alerts:read"), { id });
    await expect(act).rejects.toMatchObject({ code: "permission_denied" });
    await expect(perform(listAlerts, ctx("metrics:read"), {})).rejects.toMatchObject({ code: "permission_denied" });
    await expect(perform(acknowledgeAlert, ctx(), { id: newId() })).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("rules", () => {
  it("are created, changed on top of what one saw, and deleted; each is recorded", async () => {
    const made = await perform(createAlertRule, ctx(), {
      name: "Reads",
      metric: "p95_ms",
      threshold: 800,
      server: "files",
    });
    expect(made).toMatchObject({ severity: "warning", enabled: true, builtIn: false, windowMinutes: 5, minCalls: 20 });
    const changed = await perform(changeAlertRule, ctx(), { id: made.id, baseVersion: 1, threshold: 900 });
    expect(changed).toMatchObject({ version: 2, threshold: 900, server: "files" });
    const late = perform(changeAlertRule, ctx(), { id: made.id, baseVersion: 1, threshold: 700 });
    await expect(late).rejects.toMatchObject({ code: "stale_version" });
    await perform(deleteAlertRule, ctx(), { id: made.id });
    expect((await perform(listAlertRules, ctx("alerts:read"), {})).map(({ id }) => id)).not.toContain(made.id);
    const acts = (await readTrail(world.tenant.tenantId)).map(({ type }) => type);
    expect(acts.slice(-3)).toEqual(["alert_rule.created", "alert_rule.changed", "alert_rule.deleted"]);
  });

  it("that are built in are switched off or weighed otherwise, and never deleted", async () => {
    const rules = await perform(listAlertRules, ctx(), {});
    const { id } = rules.find(({ watch }) => watch === "kill_switch_used") ?? { id: "" };
    await expect(perform(deleteAlertRule, ctx(), { id })).rejects.toMatchObject({ code: "conflict" });
    const wrong = perform(changeAlertRule, ctx(), { id, baseVersion: 1, threshold: 1 });
    await expect(wrong).rejects.toMatchObject({ code: "invalid_input", detail: { issues: [{ path: "threshold" }] } });
    await perform(changeAlertRule, ctx(), { id, baseVersion: 1, severity: "critical", holdMinutes: 5, enabled: false });
    await perform(throwKillSwitch, ctx(), { kind: "server", target: "files" });
    await judged();
    expect((await perform(listAlerts, ctx(), { state: "all" })).items).toEqual([]);
  });

  it.each([
    [{ metric: "error_rate", threshold: 5 }, "threshold"],
    [{ metric: "p95_ms", threshold: 0.5 }, "threshold"],
    [{ metric: "p95_ms", threshold: 500, tool: "read" }, "tool"],
    [{ metric: "p95_ms", threshold: 500, server: "flies" }, "server"],
    [{ metric: "p95_ms", threshold: 500, server: "files", tool: "write" }, "tool"],
    [{ metric: "p95_ms", threshold: 500, windowMinutes: 61 }, "windowMinutes"],
  ])("refuses %o, naming the field", async (fields, path) => {
    const made = perform(createAlertRule, ctx(), { name: "No", ...fields });
    await expect(made).rejects.toMatchObject({ code: "invalid_input", detail: { issues: [{ path }] } });
  });
});

it("tenants from before alerts get the right to read them with their built-in roles, and keep their own as they were", async () => {
  const all = await readMigrations();
  const before = all.filter(({ name }) => name < "00000000000012");
  await withFreshDatabase(databaseUrl(), async (url) => {
    await migrate(url, before);
    const [tenant, role] = [newId(), () => newId()];
    await onServer(
      url,
      "insert into tenants (id, slug, name, zones, residency) values ($1, 'old', 'Old', '{}', 'eu')",
      [tenant],
    );
    const roles = [
      ["viewer", true],
      ["tenant-admin", true],
      ["developer", false],
    ] as const;
    for (const [slug, builtIn] of roles) {
      const values = [tenant, role(), slug, builtIn];
      await onServer(
        url,
        "insert into roles (tenant_id, id, slug, name, permissions, built_in) values ($1, $2, $3, $3, '{metrics:read}', $4)",
        values,
      );
    }
    await migrate(url);
    const { rows } = await onServer(url, "select slug, permissions from roles order by slug");
    expect(rows).toEqual([
      { slug: "developer", permissions: ["metrics:read"] },
      { slug: "tenant-admin", permissions: ["metrics:read"] },
      { slug: "viewer", permissions: ["metrics:read", "alerts:read"] },
    ]);
  });
});
