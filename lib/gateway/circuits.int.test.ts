import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { perform } from "@/lib/audit/perform";
import { tenantSql } from "@/lib/db/sql";
import { boot, shutdown } from "@/lib/gateway/boot";
import { circuitViews } from "@/lib/gateway/circuits";
import { poolViews } from "@/lib/gateway/pools";
import { actOnCircuit } from "@/lib/servers/act-on-circuit";
import { changeServer } from "@/lib/servers/change-server";
import { getServer } from "@/lib/servers/read";
import { enabledServers } from "@/lib/servers/registry";
import { changeTenant } from "@/lib/tenants/change-tenant";
import { createPlatformAdmin } from "@/lib/testing/factories";
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

async function open(
  servers: Record<string, WorldServer> = { work: { tools: ["do", "other"], map: { do: "w:do", other: "w:do" } } },
) {
  const world = await createWorld(servers);
  worlds.push(world);
  const { key } = await world.agent("w:do");
  const id = world.serverIds.get("work") ?? "";
  const call = async (tool = "do") => {
    const { body } = await rpc(door.url, "tools/call", { name: `work__${tool}`, arguments: {} }, { key });
    return (body.result?._meta?.[ERROR]?.code ?? body.error?.data?.code ?? "ok") as string;
  };
  return { world, id, call, upstream: world.upstreams.get("work"), ctx: () => world.tenant.ctx() };
}

const times = async (count: number, run: () => Promise<string>) => {
  const codes: string[] = [];
  for (let done = 0; done < count; done += 1) codes.push(await run());
  return codes;
};

async function circuitEntries(tenantId: string): Promise<Record<string, unknown>[]> {
  const sql = "select record from audit_entries where tenant_id = $1 order by seq";
  const { rows } = await tenantSql(tenantId, (client) => client.query<{ record: Buffer }>(sql, [tenantId]));
  return rows
    .map(({ record }) => JSON.parse(record.toString("utf8")) as Record<string, unknown>)
    .filter((record) => String(record["event_type"]).startsWith("circuit."));
}

describe("a circuit", () => {
  it("stays closed for both tenants whatever one of them says to its server", async () => {
    // Fifty at once take longer than usual on a busy machine, and a time-out would count.
    const patient = { work: { tools: ["do"], map: { do: "w:do" }, deadlineMs: 30_000 } };
    const [bad, good] = [await open(patient), await open(patient)];
    for (const fault of ["rpc-error", "status-401"] as const) {
      bad.upstream?.setFault(fault);
      for (let round = 0; round < 20; round += 1) {
        const codes = await Promise.all(Array.from({ length: 50 }, () => bad.call()));
        expect(new Set(codes)).toEqual(new Set(["upstream_error"]));
      }
    }
    expect(bad.upstream?.requests.filter(({ method }) => method === "tools/call").length).toBe(2_000);
    expect(await good.call()).toBe("ok");
    bad.upstream?.setFault("none");
    expect(await bad.call()).toBe("ok");
    for (const { world } of [bad, good]) {
      expect(circuitViews(world.tenant.tenantId).get("work")).toMatchObject({ kind: "closed", consecutiveFailures: 0 });
      expect(await circuitEntries(world.tenant.tenantId)).toEqual([]);
    }
    // The counter-proof: with a real failure the same number of calls opens it, for its own tenant alone.
    bad.upstream?.setFault("status-500");
    expect((await times(6, bad.call)).at(-1)).toBe("circuit_open");
    expect(await good.call()).toBe("ok");
  });

  it("is recorded when it opens and closes by itself, with what opened it", async () => {
    const { call, upstream, id, ctx, world } = await open();
    await perform(changeServer, ctx(), { id, circuitPolicy: { recoveryMs: 3_000, failureThreshold: 2 } });
    upstream?.setFault("status-500");
    expect(await times(3, call)).toEqual(["upstream_error", "upstream_error", "circuit_open"]);
    upstream?.setFault("none");
    await expect.poll(call, { timeout: 20_000, interval: 100 }).toBe("ok");
    expect(await times(3, call)).toEqual(["ok", "ok", "ok"]);
    await expect.poll(async () => (await circuitEntries(world.tenant.tenantId)).length, { timeout: 10_000 }).toBe(2);
    const [opened, closed] = await circuitEntries(world.tenant.tenantId);
    expect(opened).toMatchObject({
      event_type: "circuit.opened",
      phase: "system",
      reason_code: "consecutive_failures",
      server: "work",
      breaker_state: "open",
    });
    expect(opened?.["reason"]).toContain("2 calls in a row failed. The last failure was upstream_error.");
    expect(closed).toMatchObject({ event_type: "circuit.closed", phase: "system", reason_code: "trials_succeeded" });
  });

  it("obeys people, with a reason in the trail", async () => {
    const { call, upstream, id, ctx, world } = await open();
    const act = (what: string, reason = "for the test") => perform(actOnCircuit, ctx(), { id, act: what, reason });
    expect((await act("trip")).circuit.kind).toBe("forced-open");
    expect(await call()).toBe("circuit_open");
    expect((await act("close")).circuit.kind).toBe("closed");
    expect(await call()).toBe("ok");
    await act("disable");
    upstream?.setFault("status-500");
    expect(new Set(await times(8, call))).toEqual(new Set(["upstream_error"]));
    await act("reset");
    expect((await times(6, call)).at(-1)).toBe("circuit_open");
    expect((await perform(getServer, ctx(), { id })).circuit).toMatchObject({
      kind: "open",
      cause: "consecutive_failures",
      lastFailure: "upstream_error",
    });
    await act("reset");
    upstream?.setFault("none");
    expect(await call()).toBe("ok");
    await expect(act("trip", " ")).rejects.toMatchObject({ code: "invalid_input" });
    await expect(
      perform(actOnCircuit, world.tenant.ctx("viewer"), { id, act: "trip", reason: "mine" }),
    ).rejects.toMatchObject({ code: "permission_denied" });
    const acts = (await circuitEntries(world.tenant.tenantId)).filter((record) => record["phase"] === "admin");
    expect(acts.map((record) => record["event_type"])).toEqual([
      "circuit.tripped",
      "circuit.closed",
      "circuit.disabled",
      "circuit.reset",
      "circuit.reset",
    ]);
    expect(acts[0]).toMatchObject({ target: "work", reason: "for the test" });
  });

  it("belongs to a tool alone where configured, and leaves the server's closed", async () => {
    const { call, upstream, id, ctx, world } = await open();
    await perform(changeServer, ctx(), { id, circuitPolicy: { perTool: ["do"] } });
    upstream?.setFault("status-500");
    expect((await times(6, call)).at(-1)).toBe("circuit_open");
    upstream?.setFault("none");
    expect(await call("other")).toBe("ok");
    const view = circuitViews(world.tenant.tenantId).get("work");
    expect(view).toMatchObject({ kind: "closed", tools: [{ tool: "do", kind: "open" }] });
    expect((await circuitEntries(world.tenant.tenantId))[0]).toMatchObject({ tool: "do" });
  });

  it("is stricter in stricter zones, and takes its own policy first", async () => {
    const { id, ctx, world } = await open();
    const { tenantId } = world.tenant;
    const rate = async () => (await enabledServers(tenantId)).get("work")?.circuit.policy.successRate;
    expect(await rate()).toBe(0.8);
    const root = await createPlatformAdmin();
    for (const [zones, expected] of [
      [["hipaa"], 0.9],
      [["hipaa", "sox"], 0.95],
    ] as const) {
      await perform(changeTenant, root.ctx, { id: tenantId, zones: [...zones], reason: "for the test" });
      expect(await rate()).toBe(expected);
    }
    await perform(changeServer, ctx(), { id, circuitPolicy: { successRate: 0.5 } });
    expect(await rate()).toBe(0.5);
    await perform(changeServer, ctx(), { id, circuitPolicy: null });
    expect(await rate()).toBe(0.95);
    const wrong = perform(changeServer, ctx(), { id, circuitPolicy: { successRate: 2 } });
    await expect(wrong).rejects.toMatchObject({ code: "invalid_input" });
  });
});

describe("the pool of a server", () => {
  it("seats as many as it may, lets few wait, refuses the rest before any intent, and tells all of it", async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { call, upstream, id, ctx, world } = await open({
      work: { tools: ["do"], map: { do: "w:do" }, slowUntil: () => released, deadlineMs: 30_000 },
    });
    await perform(changeServer, ctx(), { id, poolSize: 3, poolLimits: { maxConcurrent: 2, maxQueued: 2 } });
    expect(await call()).toBe("ok");
    upstream?.setFault("slow");
    const calls = Array.from({ length: 6 }, () => call());
    const full = { inUse: 2, queued: 2, maxConcurrent: 2, maxQueued: 2, exhausted: 4, refused: 2 };
    const during = () => poolViews(world.tenant.tenantId).get("work");
    await expect.poll(during, { timeout: 20_000, interval: 10 }).toMatchObject(full);
    release();
    const codes = await Promise.all(calls);
    expect(codes.filter((code) => code === "ok")).toHaveLength(4);
    expect(codes.filter((code) => code === "overloaded")).toHaveLength(2);
    const after = (await perform(getServer, ctx(), { id })).pool;
    expect(after).toMatchObject({ inUse: 0, queued: 0 });
    // Three were open before anybody asked, and the calls of two at a time found one each.
    expect(after?.created).toBeLessThanOrEqual(4);
    expect(after?.reused).toBeGreaterThanOrEqual(2);
  });

  it("opens its base of connections before the first call", async () => {
    const { id, ctx, call, world } = await open();
    await perform(changeServer, ctx(), { id, poolSize: 4 });
    expect(await call()).toBe("ok");
    const opened = () => poolViews(world.tenant.tenantId).get("work")?.open;
    await expect.poll(opened, { timeout: 20_000 }).toBeGreaterThanOrEqual(4);
  });
});
