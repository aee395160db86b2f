import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { perform } from "@/lib/audit/perform";
import { closeTrail, trail } from "@/lib/audit/trail";
import { resetSingleton } from "@/lib/core/singleton";
import { type FinishedCall, makeCallCells } from "@/lib/metrics/call-cells";
import { readHealth } from "@/lib/metrics/read-health";
import { readSeries } from "@/lib/metrics/read-series";
import { readStatistics } from "@/lib/metrics/read-statistics";
import type { SeriesView } from "@/lib/metrics/schemas";
import { MINUTE_MS } from "@/lib/metrics/segments";
import { storeCells } from "@/lib/metrics/store-cells";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let world: World;
/** A minute that is over, so that every figure is in one place. */
let minute = 0;

const ended = (over: Partial<FinishedCall>): FinishedCall => ({
  ...{ tenantId: world.tenant.tenantId, ts: new Date(minute).toISOString(), server: "files", tool: "read" },
  ...{ caller: "a", callerName: "Ann", fate: "finished", outcome: "success", code: null },
  ...{ durationMs: 100, upstreamMs: 70, queueMs: 20, policyMs: 2, auditMs: 3, outcomeMs: 4, fromCache: false },
  ...over,
});

async function store(calls: readonly FinishedCall[]): Promise<void> {
  const cells = makeCallCells();
  for (const call of calls) cells.add(call);
  await storeCells(world.tenant.tenantId, cells.dirty());
}

beforeAll(async () => {
  world = await createWorld({
    files: { tools: ["read", "write"] },
    notes: { tools: ["read"] },
    quiet: { tools: ["x"] },
  });
  minute = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - MINUTE_MS;
  const many = (n: number, over: Partial<FinishedCall>) => Array.from({ length: n }, () => ended(over));
  await store([
    ...many(14, {}),
    ...many(2, { outcome: "failure", code: "upstream_timeout", durationMs: 4_000, upstreamMs: 3_900 }),
    ...many(2, { outcome: "failure", code: "tool_error" }),
    ...many(2, { fate: "refused", outcome: "failure", code: "circuit_open", durationMs: 0, upstreamMs: 0, queueMs: 0 }),
    ...many(3, { fate: "refused", outcome: "denied", code: "permission_denied", caller: "b", callerName: "Bob" }),
    ...many(1, { outcome: "cancelled", code: "cancelled", tool: "write" }),
    ...many(1, { fate: "lost", outcome: "unknown", code: "gateway_stopped", tool: "write" }),
    ...many(40, { server: "notes", durationMs: 10, upstreamMs: 0, queueMs: 0, fromCache: true }),
  ]);
});
afterAll(async () => {
  await closeTrail();
  await world.close();
});

const ctx = () => world.tenant.ctx(["metrics:read"]);

describe("statistics", () => {
  it("by server: every figure is what was recorded", async () => {
    const { rows } = await perform(readStatistics, ctx(), {});
    expect(rows.map(({ server }) => server)).toEqual(["notes", "files"]);
    const [notes, files] = rows;
    expect(files).toMatchObject({
      ...{ requests: 25, successes: 14, failures: 6, denied: 3, cancelled: 1, unknown: 1, samples: 19 },
      ...{ minMs: 100, maxMs: 4_000, p50Ms: expect.closeTo(100, -1), p99Ms: expect.closeTo(4_000, -2), cacheHits: 0 },
      errors: [
        { code: "permission_denied", count: 3 },
        { code: "circuit_open", count: 2 },
        { code: "tool_error", count: 2 },
        { code: "upstream_timeout", count: 2 },
        { code: "cancelled", count: 1 },
        { code: "gateway_stopped", count: 1 },
      ],
    });
    expect(files?.errorRate).toBeCloseTo(4 / 19);
    // 19 reached it and 2 were held back; it was not there for those 2 and the 2 that ran into the deadline.
    expect(files?.availability).toBeCloseTo(1 - 4 / 21);
    expect(files?.meanMs).toBeCloseTo((17 * 100 + 2 * 4_000) / 19);
    const parts = (files?.upstreamMeanMs ?? 0) + (files?.queueMeanMs ?? 0) + (files?.gatewayMeanMs ?? 0);
    expect(parts).toBeCloseTo(files?.meanMs ?? Number.NaN);
    expect(files?.queueMeanMs).toBeCloseTo(20);
    const ours = (files?.policyMeanMs ?? 0) + (files?.auditMeanMs ?? 0) + (files?.otherMeanMs ?? 0);
    expect(ours).toBeCloseTo(files?.gatewayMeanMs ?? Number.NaN);
    expect(files).toMatchObject({ policyMeanMs: 2, auditMeanMs: 3, outcomeMeanMs: 4, queued: 19, circuitRefusals: 2 });
    expect(notes).toMatchObject({
      requests: 40,
      samples: 40,
      cacheHits: 40,
      errorRate: 0,
      availability: 1,
      errors: [],
    });
  });

  it("by tool: with the servers that offer one of that name", async () => {
    const { rows } = await perform(readStatistics, ctx(), { by: "tool" });
    expect(rows.map(({ server, tool, requests, offeredBy }) => ({ server, tool, requests, offeredBy }))).toEqual([
      { server: "notes", tool: "read", requests: 40, offeredBy: ["files", "notes"] },
      { server: "files", tool: "read", requests: 23, offeredBy: ["files", "notes"] },
      { server: "files", tool: "write", requests: 2, offeredBy: ["files"] },
    ]);
    const one = await perform(readStatistics, ctx(), { by: "tool", server: "files", tool: "write" });
    expect(one.rows).toMatchObject([{ tool: "write", samples: 1, unknown: 1, cancelled: 1, errorRate: 0 }]);
  });

  it("by caller over all servers or of one, and for the tenant as a whole", async () => {
    const callers = await perform(readStatistics, ctx(), { by: "caller" });
    expect(callers.rows).toMatchObject([
      { caller: "a", callerName: "Ann", server: "", requests: 62 },
      {
        caller: "b",
        callerName: "Bob",
        requests: 3,
        denied: 3,
        samples: 0,
        meanMs: null,
        p95Ms: null,
        errorRate: null,
      },
    ]);
    const ofFiles = await perform(readStatistics, ctx(), { by: "caller", server: "files", caller: "a" });
    expect(ofFiles.rows).toMatchObject([{ caller: "a", requests: 22 }]);
    const whole = await perform(readStatistics, ctx(), { by: "tenant" });
    expect(whole.rows).toMatchObject([{ requests: 65, samples: 59, cacheHits: 40 }]);
  });

  it("keeps to the window, its start and its end", async () => {
    const read = async (from: number, to: number) => {
      const times = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      return (await perform(readStatistics, ctx(), { by: "tenant", ...times })).rows.map(({ requests }) => requests);
    };
    expect(await read(minute, minute + MINUTE_MS)).toEqual([65]);
    expect(await read(minute - 30 * MINUTE_MS, minute)).toEqual([]);
    expect(await read(minute + MINUTE_MS, minute + 2 * MINUTE_MS)).toEqual([]);
  });

  it("over time", async () => {
    const busy = (points: SeriesView["points"]) => points.filter(({ state }) => state === "traffic");
    const { points } = await perform(readSeries, ctx(), { server: "files" });
    expect(busy(points)).toMatchObject([{ at: new Date(minute).toISOString(), requests: 25, samples: 19 }]);
    const tool = await perform(readSeries, ctx(), { server: "notes", tool: "read", bucketMinutes: 15 });
    expect(busy(tool.points)).toMatchObject([{ requests: 40 }]);
    const caller = await perform(readSeries, ctx(), { caller: "b" });
    expect(busy(caller.points)).toMatchObject([{ requests: 3, denied: 3, samples: 0, p95Ms: null }]);
  });

  it.each([
    [readStatistics, { by: "server", tool: "read" }, /tool: narrows figures by tool only/],
    [readStatistics, { by: "tenant", server: "files" }, /server: does not narrow/],
    [readStatistics, { from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z" }, /to: must be after from/],
    [readSeries, { tool: "read" }, /server: must be named with a tool/],
  ] as const)("refuses what it cannot answer, naming the field", async (verb, input, text) => {
    await expect(perform<unknown, never, unknown, undefined>(verb as never, ctx(), input)).rejects.toThrow(text);
  });

  it("is for those who may see figures", async () => {
    for (const verb of [readStatistics, readSeries, readHealth]) {
      const asked = perform<unknown, never, unknown, undefined>(verb as never, world.tenant.ctx(["audit:read"]), {});
      await expect(asked).rejects.toMatchObject({ code: "permission_denied" });
    }
  });
});

describe("health", () => {
  it("gives the tenant and each server a light with its reason, also to one without calls", async () => {
    const view = await perform(readHealth, ctx(), {});
    expect(view.tenant).toMatchObject({ light: "WARNING", reason: expect.stringMatching(/^6 of 61 calls/) });
    expect(view.servers).toMatchObject([
      {
        server: "files",
        light: "CRITICAL",
        reason: expect.stringMatching(/^6 of 21 calls .* \(28\.6 %\): above 10 %\.$/),
      },
      { server: "notes", light: "HEALTHY" },
      { server: "quiet", light: "UNKNOWN", reason: "No calls in the last five minutes." },
    ]);
    for (const { check } of view.servers) expect(["healthy", "unavailable", "unknown"]).toContain(check.status);
  });

  it("says what the gateway stands on", async () => {
    const components = async () => (await perform(readHealth, ctx(), {})).components;
    expect(await components()).toMatchObject([
      { name: "database", status: "up" },
      { name: "redis" },
      { name: "trail", status: "up" },
    ]);
    // Set, and never connected: as it is while Redis is away.
    vi.stubEnv("REDIS_URL", "redis://127.0.0.1:1");
    resetSingleton("env");
    expect((await components())[1]).toMatchObject({ name: "redis", status: "down" });
    vi.unstubAllEnvs();
    resetSingleton("env");
    expect(trail().status().writable).toBe(true);
  });
});
