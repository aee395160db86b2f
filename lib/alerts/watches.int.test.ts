import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { judgeTenant } from "@/lib/alerts/judge-tenant";
import { stopAlerts } from "@/lib/alerts/loop";
import { listAlerts } from "@/lib/alerts/read";
import { SIGNAL_MS, tellSignals } from "@/lib/alerts/signals";
import { TURN_MS } from "@/lib/alerts/turns";
import { gatewayId } from "@/lib/audit/gateway-identity";
import { perform } from "@/lib/audit/perform";
import { newId } from "@/lib/core/ids";
import { databaseUrl } from "@/lib/db/client";
import { inTenant } from "@/lib/db/in-tenant";
import { boot, shutdown } from "@/lib/gateway/boot";
import { getGateway } from "@/lib/gateway/compose";
import { listOver, makeHealthTurns, stopHealthLoop } from "@/lib/gateway/health";
import { liftKillSwitch, throwKillSwitch } from "@/lib/kill-switches/throw-kill-switch";
import { actOnCircuit } from "@/lib/servers/act-on-circuit";
import { changeServer } from "@/lib/servers/change-server";
import { getServer } from "@/lib/servers/read";
import { createWorld, openDoor, type World } from "@/lib/testing/gateway-world";
import { rpc } from "@/lib/testing/rpc";

let world: World;
let key: string;
let door: Awaited<ReturnType<typeof openDoor>>;
let owner: pg.Client;
let now = 0;

beforeAll(async () => {
  await boot();
  await Promise.all([stopAlerts(), stopHealthLoop()]);
  door = await openDoor("node");
  owner = new pg.Client({ connectionString: databaseUrl() });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await door.close();
  await shutdown();
});
beforeEach(async () => {
  world = await createWorld({ work: { tools: ["do"], map: { do: "w:do" } } });
  key = (await world.agent("w:do")).key;
  now = Date.now();
});
afterEach(() => world.close());

const tenantId = () => world.tenant.tenantId;
const ctx = () => world.tenant.ctx();
const call = () => rpc(door.url, "tools/call", { name: "work__do", arguments: {} }, { key });
const alertsOf = async (watch: string) =>
  (await perform(listAlerts, ctx(), { state: "all" })).items.filter((alert) => alert.watch === watch);

/** What every process does every few seconds, for this tenant alone; then so many turns more. */
async function rounds(count = 1, { telling = true } = {}): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    now += TURN_MS;
    if (telling) await tellSignals(now);
    expect(await judgeTenant(tenantId(), now)).toBe(true);
  }
}

describe("the circuit of a server", () => {
  const openIt = async () => {
    const circuitPolicy = { recoveryMs: 1_000 };
    await perform(changeServer, ctx(), { id: world.serverIds.get("work"), circuitPolicy });
    world.upstreams.get("work")?.setFault("status-500");
    for (let times = 0; times < 6; times += 1) await call();
  };

  it("is told while it is open, with what opened it, and closed once it was closed for a minute", async () => {
    await openIt();
    await rounds();
    const [alert] = await alertsOf("circuit_open");
    expect(alert).toMatchObject({ state: "firing", severity: "critical", server: "work", tool: null });
    expect(alert?.reason).toBe(
      "The circuit of work is open: too many calls in a row failed, the last one with upstream_error. Its calls are refused until a trial succeeds.",
    );
    // It closes by itself, as the same circuit that it was.
    world.upstreams.get("work")?.setFault("none");
    const kind = async () => (await perform(getServer, ctx(), { id: world.serverIds.get("work") })).circuit.kind;
    await expect.poll(async () => [await call(), await kind()][1], { timeout: 30_000, interval: 100 }).toBe("closed");
    now = Math.max(now, Date.now());
    await rounds(5);
    expect(await alertsOf("circuit_open")).toMatchObject([{ state: "firing" }]);
    await rounds();
    expect(await alertsOf("circuit_open")).toMatchObject([
      { state: "resolved", reason: "No circuit of work is open any more." },
    ]);
  });

  it("is told when a person holds it open", async () => {
    const id = world.serverIds.get("work");
    await perform(actOnCircuit, ctx(), { id, act: "trip", reason: "it answers nonsense" });
    await rounds();
    expect(await alertsOf("circuit_open")).toMatchObject([
      { state: "firing", reason: expect.stringMatching(/^A person holds the circuit of work open/) },
    ]);
    await perform(actOnCircuit, ctx(), { id, act: "reset", reason: "it is well again" });
    await rounds(6);
    expect(await alertsOf("circuit_open")).toMatchObject([{ state: "resolved" }]);
  });

  it("is told by every process that holds it open, and counts until the last one is silent", async () => {
    await openIt();
    await rounds();
    const mine = gatewayId();
    // Another process of the same installation, which sees the same and then dies.
    await owner.query(
      "insert into alert_signals select tenant_id, watch, server, tool, $2::uuid, generation, since, seen_at, reason from alert_signals where tenant_id = $1",
      [tenantId(), newId()],
    );
    await owner.query("delete from alert_signals where tenant_id = $1 and process_id = $2", [tenantId(), mine]);
    await rounds(1, { telling: false });
    expect(await alertsOf("circuit_open")).toHaveLength(1);
    now += SIGNAL_MS;
    await rounds(6, { telling: false });
    expect(await alertsOf("circuit_open")).toMatchObject([{ state: "resolved" }]);
  });
});

describe("a server that does not answer", () => {
  const check = async () => {
    await inTenant(tenantId(), (tx) => tx.serverHealth.updateMany({ data: { nextCheckAt: new Date(0) } }));
    const turns = makeHealthTurns({ processId: gatewayId(), list: listOver(getGateway().upstreams) });
    await turns.look();
    await turns.end();
  };

  it("is told since its first failure, until it answers again", async () => {
    const upstream = world.upstreams.get("work");
    upstream?.setListing({ status: 500 });
    await check();
    await check();
    await rounds();
    const [alert] = await alertsOf("server_unhealthy");
    expect(alert).toMatchObject({
      state: "firing",
      server: "work",
      reason: expect.stringMatching(/^Server work does not answer/),
    });
    expect(Date.parse(alert?.since ?? "")).toBeLessThan(Date.parse(alert?.firedAt ?? ""));
    upstream?.setListing(null);
    await check();
    await rounds(3);
    expect(await alertsOf("server_unhealthy")).toMatchObject([
      { state: "resolved", reason: "Server work answers again." },
    ]);
  });
});

describe("a kill switch", () => {
  it("is told until it is lifted", async () => {
    const { id } = await perform(throwKillSwitch, ctx(), { kind: "server", target: "work", reason: "leaks names" });
    await rounds();
    const { email } = world.tenant.admin;
    expect(await alertsOf("kill_switch_used")).toMatchObject([
      {
        ...{ state: "firing", server: "work", target: "server work", severity: "warning" },
        reason: `${email} stopped server work by kill switch: leaks names.`,
      },
    ]);
    await perform(liftKillSwitch, ctx(), { id });
    await rounds();
    expect(await alertsOf("kill_switch_used")).toMatchObject([{ state: "resolved" }]);
  });

  it("is told once, even if it was lifted before anybody looked", async () => {
    const { id } = await perform(throwKillSwitch, ctx(), { kind: "tool", target: "work/do" });
    await perform(liftKillSwitch, ctx(), { id });
    await rounds();
    expect(await alertsOf("kill_switch_used")).toMatchObject([{ state: "firing", server: "work", tool: "do" }]);
    await rounds(3);
    expect(await alertsOf("kill_switch_used")).toMatchObject([{ state: "resolved" }]);
  });
});
