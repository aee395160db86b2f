import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { changeAlertRule, createAlertRule, deleteAlertRule } from "@/lib/alerts/change-rule";
import { judgeTenant } from "@/lib/alerts/judge-tenant";
import { getAlert, listAlertRules, listAlerts } from "@/lib/alerts/read";
import { TURN_MS } from "@/lib/alerts/turns";
import { perform } from "@/lib/audit/perform";
import { closeTrail } from "@/lib/audit/trail";
import { inTenant } from "@/lib/db/in-tenant";
import { MINUTE_MS } from "@/lib/metrics/segments";
import { disableServer } from "@/lib/servers/switch-server";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { FAILED, HELD_BACK, storeCalls, TIMED_OUT } from "@/lib/testing/stored-calls";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const worlds: World[] = [];
let world: World;
/** The clock of a test: only it moves. */
let now = 0;

beforeEach(async () => {
  world = await createWorld({ files: { tools: ["read", "write"] }, notes: { tools: ["read"] } });
  worlds.push(world);
  now = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
});
afterAll(async () => {
  await closeTrail();
  await Promise.all(worlds.map((each) => each.close()));
});

const ctx = () => world.tenant.ctx();
const calls = (count: number, over = {}) => storeCalls(world.tenant.tenantId, now, count, over);
const alerts = async (state: "open" | "all" = "all") => (await perform(listAlerts, ctx(), { state })).items;
const ruleOf = async (metric: string) => {
  const rule = (await perform(listAlertRules, ctx(), {})).find((each) => each.metric === metric);
  if (rule === undefined) throw new Error(`There is no rule about ${metric}.`);
  return rule;
};
/** So many evaluations, each when its turn has come. */
async function rounds(count = 1): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    now += TURN_MS;
    expect(await judgeTenant(world.tenant.tenantId, now)).toBe(true);
  }
}

describe("a tenant begins", () => {
  it("with three rules of its own and the five that are built in, given once", async () => {
    await Promise.all([perform(listAlertRules, ctx(), {}), judgeTenant(world.tenant.tenantId, now)]);
    const rules = await perform(listAlertRules, ctx(), {});
    expect(rules.map(({ metric, watch, threshold }) => [metric ?? watch, threshold]).sort()).toEqual([
      ["availability", 0.99],
      ["circuit_open", null],
      ["error_rate", 0.05],
      ["kill_switch_used", null],
      ["p95_ms", 5_000],
      ["server_unhealthy", null],
      ["trail_failing", null],
      ["verification_failed", null],
    ]);
    await perform(deleteAlertRule, ctx(), { id: (await ruleOf("error_rate")).id });
    await rounds();
    expect(await perform(listAlertRules, ctx(), {})).toHaveLength(7);
  });
});

describe("an alert about figures", () => {
  it("fires with the first evaluation after the crossing, says for whom, and resolves by itself", async () => {
    await calls(30, { caller: "a" });
    await rounds();
    expect(await alerts()).toEqual([]);
    await calls(2, { ...FAILED, caller: "b" });
    await calls(1, { ...FAILED, caller: "c" });
    await calls(20, { server: "notes", caller: "z" });
    await rounds();
    const [alert] = await alerts();
    expect(alert).toMatchObject({
      ...{ ruleName: "Failing calls", state: "firing", server: "files", tool: null, calls: 33, callersHit: 2 },
      ...{ firedAt: new Date(now).toISOString(), since: new Date(now).toISOString(), threshold: 0.05 },
      reason: "The error rate of files was 9.1 % over the last 5 minutes (33 calls), above 5 %.",
    });
    expect(alert?.value).toBeCloseTo(3 / 33);
    // The bad minute leaves the window, and it stays good for three evaluations.
    now += 6 * MINUTE_MS;
    await calls(100);
    await rounds(2);
    expect(await alerts()).toMatchObject([{ state: "firing", reason: expect.stringContaining("It is over when") }]);
    await rounds();
    expect(await alerts()).toMatchObject([
      { state: "resolved", resolvedAt: new Date(now).toISOString(), worst: expect.closeTo(3 / 33), value: 0 },
    ]);
    const { history } = await perform(getAlert, ctx(), { id: alert?.id });
    expect(history.map(({ what }) => what)).toEqual(["firing", "resolved"]);
    expect(history[1]?.text).toBe(
      "The error rate of files was 0 % over the last 5 minutes (100 calls): no longer above 5 %.",
    );
  });

  it("does not come and go with a value that hovers around the threshold", async () => {
    await calls(94);
    await calls(6, FAILED);
    await rounds();
    expect(await alerts()).toMatchObject([{ state: "firing" }]);
    // 6 of 120 is 5.0 %, 6 of 130 is 4.6 %: not above it any more, and not well either.
    await calls(20);
    await rounds(4);
    await calls(10);
    await rounds(4);
    expect(await alerts()).toMatchObject([{ state: "firing" }]);
    expect(await alerts()).toHaveLength(1);
  });

  it("keeps its state without calls, says so, and closes for want of them after ten minutes", async () => {
    await calls(20, { durationMs: 7_000 });
    await rounds();
    expect(await alerts()).toMatchObject([{ ruleName: "Slow answers", state: "firing" }]);
    now += 6 * MINUTE_MS;
    await calls(3);
    await rounds();
    expect(await alerts()).toMatchObject([
      {
        state: "firing",
        reason: "3 calls to files in the last 5 minutes: too few to judge, 20 are needed. The last value was 7 s.",
      },
    ]);
    now += 9 * MINUTE_MS;
    await rounds();
    expect(await alerts()).toMatchObject([{ state: "firing" }]);
    now += MINUTE_MS;
    await rounds();
    expect(await alerts()).toMatchObject([
      { state: "resolved", reason: expect.stringMatching(/^Closed for want of traffic/) },
    ]);
  });

  it("waits as long as its rule holds it back, and tells nobody when it was over before", async () => {
    const { id, version } = await ruleOf("availability");
    await perform(changeAlertRule, ctx(), { id, baseVersion: version, holdMinutes: 1 });
    await calls(20);
    await calls(5, HELD_BACK);
    await calls(1, TIMED_OUT);
    const mine = async () => (await alerts()).filter(({ metric }) => metric === "availability");
    await rounds(6);
    expect(await mine()).toMatchObject([{ state: "pending", firedAt: null, value: expect.closeTo(1 - 6 / 26) }]);
    await rounds();
    expect(await mine()).toMatchObject([{ state: "firing" }]);
    expect(Date.parse((await mine())[0]?.firedAt ?? "") - Date.parse((await mine())[0]?.since ?? "")).toBe(MINUTE_MS);
    await calls(4, { ...HELD_BACK, server: "notes" });
    await calls(20, { server: "notes" });
    await rounds();
    await calls(2_000, { server: "notes" });
    await rounds();
    const brief = (await mine()).find(({ server }) => server === "notes");
    expect(brief).toMatchObject({ state: "resolved", firedAt: null });
  });

  it("looks at one tool where its rule names one", async () => {
    const fields = {
      name: "Slow writes",
      metric: "p95_ms",
      threshold: 50,
      server: "files",
      tool: "write",
      minCalls: 5,
    };
    const rule = await perform(createAlertRule, ctx(), { ...fields, windowMinutes: 1 });
    await calls(30, { durationMs: 80 });
    await calls(4, { tool: "write", durationMs: 80 });
    await rounds();
    expect(await alerts()).toEqual([]);
    await calls(1, { tool: "write", durationMs: 80 });
    await rounds();
    expect(await alerts()).toMatchObject([{ ruleId: rule.id, server: "files", tool: "write", calls: 5 }]);
  });

  it("closes with its server, its rule, or what its rule looks at, and says why", async () => {
    const own = await perform(createAlertRule, ctx(), {
      name: "Any error",
      metric: "error_rate",
      threshold: 0,
      minCalls: 1,
    });
    const { id, version } = await ruleOf("error_rate");
    for (const server of ["files", "notes"]) await calls(20, { ...FAILED, server });
    await rounds();
    expect((await alerts("open")).length).toBe(4);
    await perform(disableServer, ctx(), { id: world.serverIds.get("notes") });
    await rounds();
    expect((await alerts("open")).map(({ server }) => server)).toEqual(["files", "files"]);
    await perform(deleteAlertRule, ctx(), { id: own.id });
    await perform(changeAlertRule, ctx(), {
      id: (await ruleOf("error_rate")).id,
      baseVersion: version,
      enabled: false,
    });
    expect(await alerts("open")).toEqual([]);
    const reasons = new Set((await alerts()).map(({ reason }) => reason));
    expect([...reasons].sort()).toEqual([
      "Closed because its rule or its server was changed: the rule no longer looks at it.",
      "Closed because its rule was deleted.",
      "Closed because its rule was switched off.",
    ]);
    await rounds();
    expect((await alerts()).filter(({ ruleId }) => ruleId === id)).toHaveLength(2);
  });
});

describe("several processes", () => {
  it("judge a tenant once: of any number at the same time one has the turn", async () => {
    await calls(20, FAILED);
    await rounds();
    for (let round = 0; round < 5; round += 1) {
      now += TURN_MS;
      const turns = await Promise.all(Array.from({ length: 4 }, () => judgeTenant(world.tenant.tenantId, now)));
      expect(turns.filter(Boolean)).toHaveLength(1);
    }
    expect(await judgeTenant(world.tenant.tenantId, now + TURN_MS - 1)).toBe(false);
  });

  it("fire once, even where the turn is not theirs alone", async () => {
    await calls(20, FAILED);
    const free = () =>
      inTenant(world.tenant.tenantId, (tx) => tx.alertTurn.updateMany({ data: { nextAt: new Date(0) } }));
    now += TURN_MS;
    await Promise.all(Array.from({ length: 4 }, () => judgeTenant(world.tenant.tenantId, now)));
    for (let round = 0; round < 3; round += 1) {
      await free();
      await Promise.all(Array.from({ length: 4 }, () => judgeTenant(world.tenant.tenantId, now)));
    }
    expect(await alerts()).toHaveLength(1);
    const [alert] = await alerts();
    const { history } = await perform(getAlert, ctx(), { id: alert?.id });
    expect(history.map(({ what }) => what)).toEqual(["firing"]);
    const twice = inTenant(
      world.tenant.tenantId,
      (tx) => tx.$executeRaw`
      insert into alerts (tenant_id, id, rule_id, rule_name, severity, state, subject, reason, since)
        select tenant_id, gen_random_uuid(), rule_id, rule_name, severity, 'pending', subject, reason, since from alerts`,
    );
    await expect(twice).rejects.toThrow(/alerts_one_open|unique/i);
  });
});
