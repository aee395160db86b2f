import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { afterEach, describe, expect, it } from "vitest";
import { walkTrail } from "@/lib/audit/verify-trail";
import { tenantSql } from "@/lib/db/sql";
import { freePort, gone } from "@/lib/testing/door-processes";
import { keepCalling, openSeveralDoors } from "@/lib/testing/several-doors";
import { withTestDatabase } from "@/lib/testing/test-database";
import { testRedisUrl } from "@/lib/testing/test-redis";

withTestDatabase();

const url = testRedisUrl ?? "";
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const closers: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(redisUrl: string | undefined, connections?: number) {
  const world = await openSeveralDoors(redisUrl, connections);
  closers.push(() => world.close());
  if (redisUrl === url && url !== "") closers.push(() => cleanUp(world.prefix));
  return world;
}

async function cleanUp(prefix: string): Promise<void> {
  const client = createClient({ url });
  await client.connect();
  for await (const keys of client.scanIterator({ MATCH: `${prefix}:*` })) if (keys.length > 0) await client.del(keys);
  client.destroy();
}

async function recordsOf(tenantId: string): Promise<Record<string, unknown>[]> {
  const sql = "select record from audit_entries where tenant_id = $1 order by seq";
  const { rows } = await tenantSql(tenantId, (client) => client.query<{ record: Buffer }>(sql, [tenantId]));
  return rows.map(({ record }) => JSON.parse(record.toString("utf8")) as Record<string, unknown>);
}
const circuitEvents = async (tenantId: string) =>
  (await recordsOf(tenantId))
    .map((record) => String(record["event_type"]))
    .filter((type) => type.startsWith("circuit."));

/** Every answered call stands in the trail, the chain holds, and no call is without its end. */
async function expectAllRecorded(tenantId: string, entries: readonly (string | undefined)[]): Promise<void> {
  const records = await recordsOf(tenantId);
  const known = new Set(records.map((record) => record["event_id"]));
  expect(entries.filter((entry) => entry === undefined || !known.has(entry))).toEqual([]);
  expect(await walkTrail(tenantId)).toMatchObject({ valid: true });
}

/** A Redis of this test's own, which it may stop. */
function startRedis(port: number): ChildProcess {
  const dir = mkdtempSync(join(tmpdir(), "cs-redis-"));
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir];
  const child = spawn("redis-server", args, { stdio: "ignore" });
  closers.push(async () => {
    child.kill("SIGKILL");
    await gone(child);
    rmSync(dir, { recursive: true, force: true });
  });
  return child;
}

describe.skipIf(url === "")(`two processes with Redis${url === "" ? " (not run: set CS_TEST_REDIS_URL)" : ""}`, () => {
  it("share a circuit: open here is refused there, three trials over both, closed for both", async () => {
    const { doors, setFault, reached, tenant } = await open(url);
    const [one, other] = doors;
    expect([await one.call(), await other.call()].map(({ code }) => code)).toEqual(["ok", "ok"]);

    setFault("status-500");
    for (let failure = 0; failure < 5; failure += 1) expect((await one.call()).code).toBe("upstream_error");
    await pause(300);
    const before = reached();
    expect((await other.call()).code).toBe("circuit_open");
    expect(reached()).toBe(before);

    // Slow enough that all of them would be in flight together, were they let through.
    setFault("slow");
    await pause(1_700);
    const burst = await Promise.all(Array.from({ length: 60 }, (_, call) => (call % 2 === 0 ? one : other).call()));
    expect(burst.filter(({ code }) => code === "ok")).toHaveLength(3);
    expect(burst.filter(({ code }) => code === "circuit_open")).toHaveLength(57);
    expect(reached()).toBe(before + 3);

    setFault("none");
    await pause(300);
    const after = await Promise.all(Array.from({ length: 20 }, (_, call) => (call % 2 === 0 ? one : other).call()));
    expect(after.map(({ code }) => code)).toEqual(Array.from({ length: 20 }, () => "ok"));
    expect(await circuitEvents(tenant.tenantId)).toEqual(["circuit.opened", "circuit.closed"]);
  });

  it("fail no call and lose no entry when Redis stops and comes back under load", async () => {
    const port = await freePort();
    const first = startRedis(port);
    await pause(300);
    const { doors, setFault, tenant } = await open(`redis://127.0.0.1:${port}`);
    const load = keepCalling(doors, 32);
    await pause(500);
    first.kill("SIGKILL");
    await gone(first);
    await pause(1_000);
    startRedis(port);
    await pause(1_500);
    const calls = await load.stop();
    expect(calls.length).toBeGreaterThan(200);
    expect(calls.filter(({ called }) => called.code !== "ok")).toEqual([]);
    await expectAllRecorded(
      tenant.tenantId,
      calls.map(({ called }) => called.entry),
    );
    // The clients have found the new one by themselves: what opens here is refused there again.
    await pause(1_000);
    setFault("status-500");
    const [one, other] = doors;
    for (let failure = 0; failure < 5; failure += 1) await one.call();
    await pause(1_000);
    expect((await other.call()).code).toBe("circuit_open");
  });
});

describe("two processes", () => {
  it("lose only the calls in flight when one is killed, and fail none when one is told to stop", async () => {
    const { doors, tenant } = await open(url === "" ? undefined : url);
    const callers = 32;
    const load = keepCalling(doors, callers);
    for (const until = Date.now() + 20_000; load.calls.length < 200 && Date.now() < until; ) await pause(20);
    doors[0].child.kill("SIGTERM");
    await gone(doors[0].child);
    expect(doors[0].child.exitCode).toBe(0);
    await pause(300);
    expect(load.calls.filter(({ called }) => called.code !== "ok")).toEqual([]);
    expect(load.calls.slice(-20).map(({ door }) => door)).toEqual(Array.from({ length: 20 }, () => 1));

    doors[1].child.kill("SIGKILL");
    await gone(doors[1].child);
    const calls = await load.stop();
    const lost = calls.filter(({ called }) => called.code !== "ok");
    expect(lost.length).toBeLessThanOrEqual(callers);
    expect(lost.every(({ called }) => called.socket !== undefined)).toBe(true);
    await expectAllRecorded(
      tenant.tenantId,
      calls.filter(({ called }) => called.code === "ok").map(({ called }) => called.entry),
    );
  });
});
