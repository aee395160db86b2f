import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { perform } from "@/lib/audit/perform";
import { tenantSql } from "@/lib/db/sql";
import { boot, shutdown } from "@/lib/gateway/boot";
import { circuitViews } from "@/lib/gateway/circuits";
import { getGateway } from "@/lib/gateway/compose";
import { tryTool } from "@/lib/gateway/try-tool";
import { actOnCircuit } from "@/lib/servers/act-on-circuit";
import { changeServer } from "@/lib/servers/change-server";
import { getServer } from "@/lib/servers/read";
import { disableServer, enableServer } from "@/lib/servers/switch-server";
import { createWorld, openDoor, type World, type WorldServer } from "@/lib/testing/gateway-world";
import { rpc } from "@/lib/testing/rpc";

const ERROR = "dev.countersign/error";
const worlds: World[] = [];
let door: Awaited<ReturnType<typeof openDoor>>;

beforeAll(async () => {
  await boot();
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await shutdown();
});
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

async function open(options: Partial<WorldServer> = {}) {
  const world = await createWorld({ work: { tools: ["do"], map: { do: "w:do" }, deadlineMs: 10_000, ...options } });
  worlds.push(world);
  const { tenant, serverIds, upstreams } = world;
  const { key } = await world.agent("w:do");
  const [id, server] = [serverIds.get("work") ?? "", upstreams.get("work")];
  const call = async (): Promise<string> => {
    const { body } = await rpc(door.url, "tools/call", { name: "work__do", arguments: {} }, { key });
    return body.result?._meta?.[ERROR]?.code ?? body.error?.data?.code ?? "ok";
  };
  return {
    ...{ id, server, call, tenantId: tenant.tenantId, ctx: () => tenant.ctx() },
    callsOf: (count: number) => Promise.all(Array.from({ length: count }, call)),
    received: () => server?.requests.filter(({ method }) => method === "tools/call").length ?? 0,
    circuit: () => circuitViews(tenant.tenantId).get("work"),
    connections: () => getGateway().upstreams.connections(tenant.tenantId).get("work"),
  };
}

/** Calls take a while there, one at a time; the first of them is under way when this is done. */
async function queued(work: Awaited<ReturnType<typeof open>>, count: number): Promise<Promise<string[]>[]> {
  await perform(changeServer, work.ctx(), { id: work.id, poolLimits: { maxConcurrent: 1, maxQueued: 100 } });
  expect(await work.call()).toBe("ok");
  const before = work.received();
  work.server?.setFault("slow");
  const ends = [work.callsOf(count)];
  await expect.poll(work.received).toBe(before + 1);
  return ends;
}

describe("a server that is", () => {
  it("disabled gets none of the calls that wait for a place, keeps no connection, and is no worse off when it is enabled", async () => {
    // Long beside what disabling takes on a busy machine: only the call that is under way may be answered.
    const work = await open({ slowMs: 3_000 });
    const [ends] = await queued(work, 8);
    await perform(disableServer, work.ctx(), { id: work.id, reason: "maintenance" });
    const received = work.received();
    expect((await ends)?.slice().sort().slice(0, 7)).toEqual(Array(7).fill("server_disabled"));
    expect(work.received()).toBe(received);
    await expect.poll(work.connections).toBeUndefined();
    work.server?.setFault("none");
    await perform(enableServer, work.ctx(), { id: work.id });
    expect(await work.call()).toBe("ok");
    expect(work.circuit()).toMatchObject({ kind: "closed", consecutiveFailures: 0 });
  });

  it("disabled while calls run there is not blamed for their end", async () => {
    const work = await open();
    expect(await work.call()).toBe("ok");
    work.server?.setFault("hang");
    const before = work.received();
    const ends = work.callsOf(6);
    await expect.poll(work.received).toBe(before + 6);
    await perform(disableServer, work.ctx(), { id: work.id, reason: "maintenance" });
    expect(new Set(await ends)).toEqual(new Set(["server_disabled"]));
    work.server?.setFault("none");
    await perform(enableServer, work.ctx(), { id: work.id });
    expect(await work.call()).toBe("ok");
    expect(work.circuit()).toMatchObject({ kind: "closed", consecutiveFailures: 0 });
  });

  it("tripped gets none of the calls that wait for a place", async () => {
    const work = await open({ slowMs: 500 });
    const [ends] = await queued(work, 8);
    await perform(actOnCircuit, work.ctx(), { id: work.id, act: "trip", reason: "for the test" });
    const received = work.received();
    expect((await ends)?.filter((code) => code === "circuit_open")).toHaveLength(7);
    expect(work.received()).toBe(received);
  });

  it("given another credential is reached with that alone, over one new session, whoever still waits", async () => {
    const work = await open({ slowMs: 100, era: "legacy" });
    const [older] = await queued(work, 15);
    await perform(changeServer, work.ctx(), { id: work.id, credential: { "x-key": "new" } });
    const newer = work.callsOf(15);
    expect(new Set([...((await older) ?? []), ...(await newer)])).toEqual(new Set(["ok"]));
    const requests = work.server?.requests ?? [];
    // What was under way may still come with the old one; nothing does once the new one was shown.
    const since = requests.slice(requests.findIndex(({ headers }) => headers["x-key"] === "new"));
    expect(new Set(since.map(({ headers }) => headers["x-key"]))).toEqual(new Set(["new"]));
    expect(since.filter(({ method }) => method === "initialize")).toHaveLength(1);
    expect(since.filter(({ method }) => method === "tools/call").length).toBeGreaterThan(25);
  });

  it("saved as it was keeps its open circuit, and says nothing else", async () => {
    const work = await open();
    work.server?.setFault("status-500");
    expect((await work.callsOf(5)).concat(await work.call()).at(-1)).toBe("circuit_open");
    const change = (input: object) => perform(changeServer, work.ctx(), { id: work.id, ...input });
    const lastWord = async () => {
      const sql = "select reason from circuit_changes where tenant_id = $1 order by at desc, id desc limit 1";
      const { rows } = await tenantSql(work.tenantId, (client) => client.query(sql, [work.tenantId]));
      return String(rows[0]?.reason);
    };
    await expect.poll(lastWord).toContain("failed");
    const { poolSize } = await perform(getServer, work.ctx(), { id: work.id });
    // What the two forms of its settings send.
    await change({ description: "another word", deadlineMs: 10_000, poolSize });
    await change({ circuitPolicy: { failureThreshold: 6, perTool: [] }, poolLimits: {} });
    expect(await work.call()).toBe("circuit_open");
    expect(await lastWord()).toContain("failed");
    await change({ poolLimits: { maxConcurrent: 7 } });
    expect(await lastWord()).toContain("began anew");
    expect(await work.call()).toBe("upstream_error");
  });

  it("tried while agents may not reach it keeps no connection", async () => {
    const work = await open();
    await perform(disableServer, work.ctx(), { id: work.id, reason: "maintenance" });
    await expect.poll(work.connections).toBeUndefined();
    work.server?.setFault("slow");
    expect(await tryTool(work.ctx(), { id: work.id, tool: "do", arguments: {} })).toMatchObject({ ok: true });
    expect(work.connections()).toBeUndefined();
  });
});
