import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { walkTrail } from "@/lib/audit/verify-trail";
import { tenantSql } from "@/lib/db/sql";
import { bundleServer, freePort, gone } from "@/lib/testing/door-processes";
import { type Called, type Door, keepCalling, openSeveralDoors } from "@/lib/testing/several-doors";
import { withTestDatabase } from "@/lib/testing/test-database";
import { testRedisUrl } from "@/lib/testing/test-redis";

withTestDatabase();

const url = testRedisUrl ?? "";
const patiently = { timeout: 30_000, interval: 50 };
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const closers: (() => Promise<unknown> | unknown)[] = [];
type Doors = Awaited<ReturnType<typeof openSeveralDoors>>;
/** A short recovery for trials, and one that no test outlives. */
const [SOON, LATER] = [{ recoveryMs: 1_000 }, { recoveryMs: 600_000 }];
let entry: string;
let three: Doors;
beforeAll(async () => {
  const server = await bundleServer();
  entry = server.entry;
  closers.push(server.remove);
  three = await open(url, SOON, 3);
});
afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(redisUrl: string, circuitPolicy: { recoveryMs: number }, doors = 2): Promise<Doors> {
  const opened = await openSeveralDoors({
    entry,
    redisUrl: redisUrl === "" ? undefined : redisUrl,
    circuitPolicy,
    doors,
  });
  closers.push(opened.close);
  if (redisUrl === url && url !== "") closers.push(() => cleanUp(opened.prefix));
  return opened;
}

async function cleanUp(prefix: string): Promise<void> {
  const client = createClient({ url });
  await client.connect();
  for await (const keys of client.scanIterator({ MATCH: `${prefix}:*` })) if (keys.length > 0) await client.del(keys);
  client.destroy();
}

async function circuitEvents(tenantId: string): Promise<string[]> {
  const sql =
    "select event_type as type from audit_entries where tenant_id = $1 and event_type like 'circuit.%' order by seq";
  const { rows } = await tenantSql(tenantId, (client) => client.query<{ type: string }>(sql, [tenantId]));
  return rows.map(({ type }) => type);
}

/** What the history of circuits says, in its order; `shared` where it is no one process's own. */
async function circuitStates(tenantId: string): Promise<string[]> {
  const sql = "select state, process is null as shared from circuit_changes where tenant_id = $1 order by at";
  const { rows } = await tenantSql(tenantId, (client) =>
    client.query<{ state: string; shared: boolean }>(sql, [tenantId]),
  );
  return rows.map(({ state, shared }) => `${state}${shared ? ", shared" : ""}`);
}

/** Every answered call stands in the trail, and the chain holds. */
async function expectAllRecorded(tenantId: string, calls: readonly { readonly called: Called }[]): Promise<void> {
  const sql = "select event_id::text as id from audit_entries where tenant_id = $1 and phase = 'outcome'";
  const { rows } = await tenantSql(tenantId, (client) => client.query<{ id: string }>(sql, [tenantId]));
  const known = new Set<string | undefined>(rows.map(({ id }) => id));
  const answered = calls.filter(({ called }) => called.code === "ok").map(({ called }) => called.entry);
  expect(answered.filter((id) => !known.has(id))).toEqual([]);
  expect(await walkTrail(tenantId)).toMatchObject({ valid: true });
}

/** Which of these calls the trail knows of. */
async function takenOf(tenantId: string, requestIds: readonly string[]): Promise<string[]> {
  const sql = "select request_id as id from audit_entries where tenant_id = $1 and request_id = any($2)";
  const { rows } = await tenantSql(tenantId, (client) => client.query<{ id: string }>(sql, [tenantId, requestIds]));
  return rows.map(({ id }) => id);
}

const codes = async (calls: readonly Promise<Called>[]) => (await Promise.all(calls)).map(({ code }) => code);

/** Five failures in a row on one, which open its circuit, and what the other then says within a second. */
async function openOnOne({ doors: [one, other], setFault, reached }: Doors): Promise<void> {
  if (one === undefined || other === undefined) throw new Error("Two doors are needed.");
  setFault("status-500");
  for (let failure = 0; failure < 5; failure += 1) expect((await one.call()).code).toBe("upstream_error");
  const before = reached();
  // Fewer tries than it would take the other to open by itself.
  const heard: string[] = [];
  for (let tries = 0; tries < 4 && heard.at(-1) !== "circuit_open"; tries += 1) {
    await pause(240);
    heard.push((await other.call()).code);
  }
  expect(heard.at(-1)).toBe("circuit_open");
  expect(reached()).toBe(before + heard.length - 1);
}

/** A Redis of this test's own, which it may stop. */
async function startRedis(port: number): Promise<{ child: ChildProcess; clients: () => Promise<number> }> {
  const dir = mkdtempSync(join(tmpdir(), "cs-redis-"));
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir];
  const child = spawn("redis-server", args, { stdio: "ignore" });
  const socket = { reconnectStrategy: (tries: number) => (child.killed ? false : Math.min(20 * tries, 500)) };
  const client = createClient({ url: `redis://127.0.0.1:${port}`, socket });
  client.on("error", () => undefined);
  closers.push(async () => {
    if (client.isOpen) client.destroy();
    child.kill("SIGKILL");
    await gone(child);
    rmSync(dir, { recursive: true, force: true });
  });
  await client.connect();
  const clients = async () => (await client.clientList()).length - 1;
  return { child, clients };
}

const withRedis = describe.skipIf(url === "");
withRedis(`two processes with Redis${url === "" ? " (not run: set CS_TEST_REDIS_URL)" : ""}`, () => {
  it("share a circuit: three trials over both, then closed for both, and each change is recorded once", async () => {
    const several = three;
    const [one, other] = several.doors as [Door, Door];
    expect(await codes([one.call(), other.call()])).toEqual(["ok", "ok"]);
    several.setFault("status-500");
    for (let failure = 0; failure < 5; failure += 1) await one.call();
    await expect.poll(() => circuitEvents(several.tenant.tenantId), patiently).toEqual(["circuit.opened"]);
    // Past its recovery, jitter included; however much later, trials begin with the next call.
    await pause(1_500);

    several.setFault("slow");
    const before = several.reached();
    let refused = 0;
    const burst = Array.from({ length: 60 }, async (_, call) => {
      const { code } = await (call % 2 === 0 ? one : other).call();
      if (code === "circuit_open") refused += 1;
      return code;
    });
    await expect.poll(() => refused, patiently).toBe(57);
    // The trials may still be on their way to the server.
    await expect.poll(several.reached, patiently).toBe(before + 3);
    several.openGate();
    expect((await Promise.all(burst)).filter((code) => code === "ok")).toHaveLength(3);
    expect(several.reached()).toBe(before + 3);

    several.setFault("none");
    await expect.poll(() => codes([one.call(), other.call()]), patiently).toEqual(["ok", "ok"]);
    const after = await codes(Array.from({ length: 20 }, (_, call) => (call % 2 === 0 ? one : other).call()));
    expect(new Set(after)).toEqual(new Set(["ok"]));
    const events = ["circuit.opened", "circuit.closed"];
    await expect.poll(() => circuitEvents(several.tenant.tenantId), patiently).toEqual(events);
    const states = ["open, shared", "half-open, shared", "closed, shared"];
    await expect.poll(() => circuitStates(several.tenant.tenantId), patiently).toEqual(states);
  });

  it("cancel each other's calls, whichever of them a client tells that it no longer wants one", async () => {
    const { doors, setFault, reached } = three;
    const before = reached();
    setFault("hang");
    const call = doors[0]?.call();
    await expect.poll(reached, patiently).toBe(before + 1);
    await doors[1]?.cancel();
    expect(await call).toMatchObject({ code: "cancelled" });
    setFault("none");
  });

  it("fail no call and lose no entry when Redis stops and comes back under load", async () => {
    const port = await freePort();
    const first = await startRedis(port);
    const several = await open(`redis://127.0.0.1:${port}`, LATER);
    const clients = await first.clients();
    expect(clients).toBeGreaterThanOrEqual(4);
    const load = keepCalling(several.doors, 32);
    await load.reach(100);
    first.child.kill("SIGKILL");
    await gone(first.child);
    // Both serve without it.
    await load.reach(200);
    const second = await startRedis(port);
    await expect.poll(second.clients, patiently).toBe(clients);
    await load.reach(100);
    const calls = await load.stop();
    expect(calls.filter(({ called }) => called.code !== "ok")).toEqual([]);
    expect(new Set(calls.map(({ door }) => door))).toEqual(new Set([0, 1]));
    await expectAllRecorded(several.tenant.tenantId, calls);
    // The clients have found the new one by themselves: what opens here is refused there.
    await openOnOne(several);
  });
});

describe("several processes", () => {
  it("lose only the calls in flight when one is killed, and fail none when one is told to stop", async () => {
    const { doors, tenant } = three;
    const [killed, stopped] = doors as [Door, Door, Door];
    const callers = 33;
    const load = keepCalling(doors, callers);
    await load.reach(200);
    killed.child.kill("SIGKILL");
    await gone(killed.child);
    await load.reach(100);
    const lost = load.calls.filter(({ called }) => called.code !== "ok");
    expect(lost.length).toBeLessThanOrEqual(callers / 3);
    expect(lost.every(({ door, called }) => door === 0 && called.socket !== undefined)).toBe(true);

    stopped.child.kill("SIGTERM");
    await gone(stopped.child);
    expect(stopped.child.exitCode).toBe(0);
    const goneAt = load.calls.length;
    await load.reach(100);
    const calls = await load.stop();
    const failed = calls.filter((call) => call.called.code !== "ok" && !lost.includes(call));
    // A request may cross the closing of its silent connection, where its client was held up for a second. It was never
    // taken then, and may be sent again.
    const crossed = failed.filter(({ called }) => called.reused === true && called.socket === "ECONNRESET");
    expect(failed).toEqual(crossed);
    const ids = crossed.map(({ called }) => called.requestId);
    expect(await takenOf(tenant.tenantId, ids)).toEqual([]);
    // Those that were answered by it before it was gone may be noted a little later.
    expect(calls.slice(goneAt + callers).every(({ door }) => door === 2)).toBe(true);
    await expectAllRecorded(tenant.tenantId, calls);
  });
});
