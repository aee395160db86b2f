import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { judgeTenant } from "@/lib/alerts/judge-tenant";
import { startAlerts, stopAlerts } from "@/lib/alerts/loop";
import { listAlerts } from "@/lib/alerts/read";
import { TURN_MS } from "@/lib/alerts/turns";
import { perform } from "@/lib/audit/perform";
import { inTenant } from "@/lib/db/in-tenant";
import { boot, shutdown } from "@/lib/gateway/boot";
import { stopHealthLoop } from "@/lib/gateway/health";
import { flushCalls } from "@/lib/metrics/recorder";
import type { TestAgent } from "@/lib/testing/factories";
import { type FakeUpstream, startFakeUpstream } from "@/lib/testing/fake-upstream";
import { createWorld, openDoor, type World } from "@/lib/testing/gateway-world";
import { rpc } from "@/lib/testing/rpc";

const SLOW_MS = 5_200;

let world: World;
let door: Awaited<ReturnType<typeof openDoor>>;
let clients: readonly TestAgent[];
let revived: FakeUpstream | null = null;
let ahead = 0;

beforeAll(async () => {
  await boot();
  // Time is moved by hand here.
  await Promise.all([stopAlerts(), stopHealthLoop()]);
  door = await openDoor("node");
  const map = { do: "w:do" };
  const server = { tools: ["do"], map, deadlineMs: 30_000 };
  world = await createWorld({ slow: { ...server, slowMs: SLOW_MS }, failing: server, dead: server });
  clients = [await world.agent("w:do"), await world.agent("w:do")];
});
afterAll(async () => {
  await door.close();
  await world.close();
  await revived?.close();
  await shutdown();
});

/** So many real calls, each with the answer of the road. */
async function call(server: string, count: number, by = 0): Promise<void> {
  const key = clients[by]?.key ?? "";
  const one = () => rpc(door.url, "tools/call", { name: `${server}__do`, arguments: {} }, { key });
  for (let left = count; left > 0; left -= 20) await Promise.all(Array.from({ length: Math.min(left, 20) }, one));
}

/** One evaluation when the turn has come, over everything that was called before it. */
async function judged() {
  await flushCalls();
  ahead += TURN_MS;
  expect(await judgeTenant(world.tenant.tenantId, Date.now() + ahead)).toBe(true);
  return (await perform(listAlerts, world.tenant.ctx(), { state: "all" })).items;
}

const upstream = (slug: string) => world.upstreams.get(slug);

describe("the rules that every tenant begins with", () => {
  it("each fires with the first evaluation after real calls were slow, failed, or found nobody there", async () => {
    for (const server of ["slow", "failing", "dead"]) await call(server, 18);
    expect(await judged()).toEqual([]);
    upstream("slow")?.setFault("slow");
    upstream("failing")?.setFault("status-500");
    await upstream("dead")?.close();
    await Promise.all(["slow", "failing", "dead"].map((server) => call(server, 2, 1)));
    const alerts = await judged();
    // A call that found nobody there has failed as well.
    const found = alerts.map(({ server, ruleName, state }) => `${server}: ${ruleName}, ${state}`).sort();
    expect(found).toEqual([
      "dead: Failing calls, firing",
      "dead: Server not there for calls, firing",
      "failing: Failing calls, firing",
      "slow: Slow answers, firing",
    ]);
    for (const alert of alerts) expect(alert).toMatchObject({ calls: 20, callersHit: 1 });
    const slow = alerts.find(({ server }) => server === "slow");
    expect(slow?.value).toBeGreaterThan(SLOW_MS * 0.98);
    expect(alerts.find(({ metric }) => metric === "availability")).toMatchObject({
      ...{ value: 0.9, severity: "critical" },
      reason: "Availability of dead was 90 % over the last 5 minutes (20 calls), below 99 %.",
    });
  });

  it("each resolves by itself once calls are well again", async () => {
    upstream("slow")?.setFault("none");
    upstream("failing")?.setFault("none");
    const port = Number(new URL(upstream("dead")?.url ?? "").port);
    revived = await startFakeUpstream({ tools: ["do"], port });
    await call("slow", 30);
    await call("failing", 30);
    await call("dead", 230);
    const states = async () => new Set((await judged()).map(({ state }) => state));
    expect(await states()).toEqual(new Set(["firing"]));
    expect(await states()).toEqual(new Set(["firing"]));
    const alerts = await judged();
    expect(new Set(alerts.map(({ state }) => state))).toEqual(new Set(["resolved"]));
    expect(alerts).toHaveLength(4);
    expect(await judged()).toHaveLength(4);
  });

  it("is judged without anybody asking, as long as a process runs", async () => {
    upstream("failing")?.setFault("status-500");
    // Enough for the share, and not so many in a row that the circuit opens before.
    for (let round = 0; round < 3; round += 1) {
      await call("failing", 3);
      upstream("failing")?.setFault("none");
      await call("failing", 1);
      upstream("failing")?.setFault("status-500");
    }
    await flushCalls();
    await inTenant(world.tenant.tenantId, (tx) => tx.alertTurn.updateMany({ data: { nextAt: new Date(0) } }));
    startAlerts();
    const open = async () => (await perform(listAlerts, world.tenant.ctx(), {})).items.map(({ ruleName }) => ruleName);
    await expect.poll(open, { timeout: 30_000, interval: 200 }).toContain("Failing calls");
    await stopAlerts();
  });
});
