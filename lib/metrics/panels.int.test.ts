import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { closeTrail } from "@/lib/audit/trail";
import { newId } from "@/lib/core/ids";
import { pool } from "@/lib/db/client";
import { liftKillSwitch, throwKillSwitch } from "@/lib/kill-switches/throw-kill-switch";
import { type FinishedCall, makeCallCells } from "@/lib/metrics/call-cells";
import { refreshDeploys } from "@/lib/metrics/deploys";
import { readMarks } from "@/lib/metrics/read-marks";
import { readOverview } from "@/lib/metrics/read-overview";
import { readPools } from "@/lib/metrics/read-pools";
import { readSeries } from "@/lib/metrics/read-series";
import { readStatistics } from "@/lib/metrics/read-statistics";
import { readTenantLights } from "@/lib/metrics/read-tenant-lights";
import type { Mark } from "@/lib/metrics/schemas";
import { HOUR_MS, MINUTE_MS } from "@/lib/metrics/segments";
import { storeCells } from "@/lib/metrics/store-cells";
import { actOnCircuit } from "@/lib/servers/act-on-circuit";
import { createPlatformAdmin } from "@/lib/testing/factories";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let world: World;
/** A minute that is over. */
let minute = 0;

const ended = (over: Partial<FinishedCall>): FinishedCall => ({
  ...{ tenantId: world.tenant.tenantId, ts: new Date(minute).toISOString(), server: "files", tool: "read" },
  ...{ caller: "a", callerName: "Ann", fate: "finished", outcome: "success", code: null, fromCache: false },
  ...{ durationMs: 100, upstreamMs: 70, queueMs: 0, policyMs: 2, auditMs: 3, outcomeMs: 4 },
  ...over,
});

async function store(calls: readonly FinishedCall[]): Promise<void> {
  const cells = makeCallCells();
  for (const call of calls) cells.add(call);
  await storeCells(world.tenant.tenantId, cells.dirty());
}

beforeAll(async () => {
  world = await createWorld({ files: { tools: ["read"] }, notes: { tools: ["read"] }, quiet: { tools: ["x"] } });
  minute = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - MINUTE_MS;
  const refused = { fate: "refused", durationMs: 0, upstreamMs: 0 } as const;
  await store([
    ended({ fromCache: true }),
    ended({ queueMs: 12 }),
    ended({ caller: "slow", durationMs: 6_000, upstreamMs: 5_900 }),
    ended({ caller: "failed", outcome: "failure", code: "tool_error" }),
    ended({ caller: "held", ...refused, outcome: "failure", code: "circuit_open" }),
    ended({ caller: "held", ...refused, outcome: "failure", code: "overloaded" }),
    ended({ caller: "limited", ...refused, outcome: "denied", code: "rate_limited" }),
    ended({ server: "notes" }),
    ended({ server: "notes", caller: "failed", outcome: "failure", code: "tool_error" }),
  ]);
});
afterAll(async () => {
  await closeTrail();
  await world.close();
});

const ctx = (...permissions: string[]) => world.tenant.ctx(permissions.length === 0 ? ["metrics:read"] : permissions);

describe("callers who are hit", () => {
  it("are those with a failed, held back or slow call, each counted once; a denial hits nobody", async () => {
    const { rows } = await perform(readStatistics, ctx(), {});
    expect(rows.map(({ server, callers, callersHit }) => ({ server, callers, callersHit }))).toEqual([
      { server: "files", callers: 5, callersHit: 3 },
      { server: "notes", callers: 2, callersHit: 1 },
    ]);
    const whole = await perform(readStatistics, ctx(), { by: "tenant" });
    expect(whole.rows).toMatchObject([{ callers: 5, callersHit: 3 }]);
    const byTool = await perform(readStatistics, ctx(), { by: "tool" });
    expect(byTool.rows[0]).toMatchObject({ callers: null, callersHit: null });
  });

  it("are told by the overview, of each server and in all", async () => {
    const view = await perform(readOverview, ctx(), { range: "15m" });
    expect(view.totals).toMatchObject({ callersHit: 3, calls: 9 });
    expect(view.totals.availability).toBeCloseTo(1 - 2 / 8);
    expect(view.servers.map(({ server, callersHit }) => [server, callersHit])).toEqual([
      ["files", 3],
      ["notes", 1],
      ["quiet", 0],
    ]);
    const one = await perform(readOverview, ctx(), { server: "notes", from: iso(minute), to: iso(minute + MINUTE_MS) });
    expect(one.totals).toMatchObject({ callersHit: 1, calls: 2 });
    expect(one.series).toMatchObject([{ state: "traffic", errorRate: 0.5, availability: 1 }]);
  });
});

const iso = (time: number) => new Date(time).toISOString();

describe("pools and kept answers", () => {
  it("are told with what waited, what was refused, and why", async () => {
    const { servers } = await perform(readPools, ctx(), { server: "files" });
    expect(servers).toEqual([
      {
        ...{ server: "files", now: null },
        window: {
          ...{ samples: 4, queued: 1, queueMeanMs: 3, overloaded: 1, circuitRefusals: 1, limited: 1 },
          ...{ cacheHits: 1, cacheHitRatio: 0.25 },
        },
      },
    ]);
    const all = await perform(readPools, ctx(), {});
    expect(all.servers.map(({ server, window }) => [server, window.samples])).toEqual([
      ["files", 4],
      ["notes", 2],
      ["quiet", 0],
    ]);
  });
});

describe("a series", () => {
  it("tells silence from a time of which nothing is known", async () => {
    await pool().query("insert into call_rollups (tenant_id, recorded_from) values ($1, $2)", [
      world.tenant.tenantId,
      new Date(minute - 10 * MINUTE_MS),
    ]);
    const asked = { from: iso(minute - 30 * MINUTE_MS), to: iso(minute + HOUR_MS), bucketMinutes: 1 };
    const view = await perform(readSeries, ctx(), asked);
    const stateAt = (time: number) => view.points.find(({ at }) => at === iso(time))?.state;
    expect(view.points).toHaveLength(90);
    expect(view.recordedFrom).toBe(iso(minute - 10 * MINUTE_MS));
    expect(stateAt(minute - 11 * MINUTE_MS)).toBe("not_recorded");
    expect(stateAt(minute - 10 * MINUTE_MS)).toBe("no_traffic");
    expect(stateAt(minute)).toBe("traffic");
    expect(stateAt(minute + 50 * MINUTE_MS)).toBe("not_recorded");
  });
});

describe("marks", () => {
  const told = (marks: readonly Mark[]) => marks.map(({ kind, text }) => `${kind}: ${text}`);
  const since = Date.now() - 5 * MINUTE_MS;
  const window = { from: iso(since), to: iso(since + HOUR_MS) };
  /** When no other test started anything. */
  const longAgo = since - 40 * 24 * HOUR_MS;
  const who = () => world.tenant.admin.email;

  beforeAll(async () => {
    const { version } = await currentPermissionMap(world.tenant.tenantId);
    const changes = [{ server: "files", tool: "read", permission: "files:read" }];
    await perform(changePermissionMap, world.tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
    const id = world.serverIds.get("notes") ?? "";
    await perform(actOnCircuit, world.tenant.ctx(), { id, act: "trip", reason: "It answers nonsense." });
    const thrown = await perform(throwKillSwitch, world.tenant.ctx(), { kind: "tool", target: "files/read" });
    await perform(liftKillSwitch, world.tenant.ctx(), { id: thrown.id });
    const start = "insert into gateway_processes (id, lock_key, version, started_at) values ($1, 1, $2, $3)";
    const versions = ["9.9.0-test", "9.9.0-test", "9.9.1-test"];
    for (const [index, name] of versions.entries()) {
      await pool().query(start, [newId(), name, new Date(longAgo + index * MINUTE_MS)]);
    }
    await refreshDeploys();
  });

  it("are what people and the gateway changed, in order, with who and the entry", async () => {
    const { marks, more } = await perform(readMarks, ctx("metrics:read", "audit:read"), { ...window, server: "files" });
    const acts = marks.filter(({ kind, entryId }) => kind !== "deploy" && entryId !== null);
    const kinds = acts.map(({ kind }) => kind).filter((kind) => kind !== "server");
    expect(kinds).toEqual(["permission_map", "kill_switch", "kill_switch"]);
    expect(told(acts).at(-2)).toBe(`kill_switch: ${who()} stopped tool files/read by kill switch.`);
    expect(acts.every(({ by }) => by === who())).toBe(true);
    expect(more).toBe(false);
    const notes = await perform(readMarks, ctx("metrics:read", "audit:read"), { ...window, server: "notes" });
    expect(told(notes.marks)).toContain(`circuit: ${who()} tripped the circuit of notes: It answers nonsense.`);
    expect(told(notes.marks).some((text) => text.startsWith("kill_switch"))).toBe(false);
  });

  it("say nothing of the trail to those who may not read it", async () => {
    const { marks } = await perform(readMarks, ctx(), { ...window, server: "notes" });
    expect(told(marks)).toContain("circuit: A circuit was tripped.");
    expect(JSON.stringify(marks)).not.toContain(who());
    expect(marks.every(({ entryId }) => entryId === null)).toBe(true);
  });

  it("are a deploy where another version was started, and not where the same one was again", async () => {
    const { marks } = await perform(readMarks, ctx(), { from: iso(longAgo), to: iso(longAgo + HOUR_MS) });
    expect(told(marks)).toEqual([
      "deploy: Version 9.9.0-test of the gateway was started.",
      "deploy: Version 9.9.1-test of the gateway was started.",
    ]);
  });
});

describe("the lights of all tenants", () => {
  it("are for platform admins, from counts alone", async () => {
    const root = await createPlatformAdmin();
    const { tenants } = await perform(readTenantLights, root.ctx, {});
    const own = tenants.find(({ id }) => id === world.tenant.tenantId);
    expect(own).toMatchObject({
      light: "CRITICAL",
      reason: expect.stringMatching(/^4 of 8 calls .* 2 of them not sent/),
    });
    expect(Object.keys(own ?? {}).sort()).toEqual(["id", "light", "name", "reason", "slug"]);
    await expect(perform(readTenantLights, world.tenant.ctx(), {})).rejects.toMatchObject({
      code: "permission_denied",
    });
  });
});
