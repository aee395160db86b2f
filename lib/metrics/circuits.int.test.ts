import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { perform } from "@/lib/audit/perform";
import { closeTrail } from "@/lib/audit/trail";
import { newId } from "@/lib/core/ids";
import { pool } from "@/lib/db/client";
import { tenantSql } from "@/lib/db/sql";
import { closeGateway, getGateway } from "@/lib/gateway/compose";
import { executeToolCall } from "@/lib/gateway/execute-tool-call";
import { recordCircuitChange, storeCircuitChanges } from "@/lib/metrics/circuit-history";
import { closeOrphanedCircuits, dropOldCircuitChanges } from "@/lib/metrics/circuit-upkeep";
import { readCircuits } from "@/lib/metrics/read-circuits";
import type { CircuitTimeline } from "@/lib/metrics/schemas";
import { actOnCircuit } from "@/lib/servers/act-on-circuit";
import { changeServer } from "@/lib/servers/change-server";
import type { TestAgent } from "@/lib/testing/factories";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let world: World;
let agent: TestAgent;

beforeAll(async () => {
  const map = { do: "w:do", other: "w:do" };
  world = await createWorld({ work: { tools: ["do", "other"], map }, tools: { tools: ["do", "other"], map } });
  agent = await world.agent("w:do");
  for (const id of world.serverIds.values()) {
    await perform(changeServer, ctx(), { id, circuitPolicy: { recoveryMs: 1_000, failureThreshold: 2 } });
  }
});
afterAll(async () => {
  await closeGateway();
  await closeTrail();
  await world.close();
});

const ctx = () => world.tenant.ctx();
const patiently = { timeout: 30_000, interval: 100 };

async function call(server: string, tool = "do"): Promise<string> {
  const outcome = await executeToolCall(getGateway(), {
    credential: { kind: "key", secret: agent.key },
    ...{ ref: { server, tool }, args: {} },
    entrance: { requestId: newId(), door: "/api/mcp", ip: "127.0.0.1", userAgent: null },
  });
  return outcome.ok ? "ok" : outcome.error.code;
}

async function timeline(server: string, tool: string | null = null): Promise<CircuitTimeline | undefined> {
  await storeCircuitChanges();
  const { circuits } = await perform(readCircuits, ctx(), { server, range: "1h" });
  return circuits.find((circuit) => circuit.tool === tool);
}
const states = async (server: string, tool: string | null = null) =>
  (await timeline(server, tool))?.bands.map(({ state }) => state);

async function change(row: { server: string; state: string; at: number; process?: string }): Promise<void> {
  const { server, state, at, process = null } = row;
  await pool().query(
    "insert into circuit_changes (tenant_id, id, at, server, state, reason, process) values ($1, $2, $3, $4, $5, 'told', $6)",
    [world.tenant.tenantId, newId(), new Date(at), server, state, process],
  );
}

describe("how a circuit stood", () => {
  it("is told from its opening over its trials to its closing, as the trail has it", async () => {
    world.upstreams.get("work")?.setFault("status-500");
    expect([await call("work"), await call("work")]).toEqual(["upstream_error", "upstream_error"]);
    expect(await states("work")).toEqual(["closed", "open"]);
    world.upstreams.get("work")?.setFault("none");
    await expect.poll(() => call("work"), patiently).toBe("ok");
    for (let trial = 0; trial < 3; trial += 1) await call("work");
    const told = await timeline("work");
    expect(told?.bands.map(({ state }) => state)).toEqual(["closed", "open", "half-open", "closed"]);
    expect(told?.bands[1]?.reason).toContain("2 calls in a row failed. The last failure was upstream_error.");
    expect(told?.opens).toBe(1);
    const recorded = () =>
      tenantSql(world.tenant.tenantId, (client) =>
        client.query("select 1 from audit_entries where tenant_id = $1 and event_type = 'circuit.opened'", [
          world.tenant.tenantId,
        ]),
      );
    await expect.poll(async () => (await recorded()).rowCount, patiently).toBe(1);
    const [first, last] = [told?.bands[0], told?.bands.at(-1)];
    const total = Object.values(told?.timeIn ?? {}).reduce((sum, ms) => sum + ms, 0);
    expect(total).toBeCloseTo(Date.parse(last?.to ?? "") - Date.parse(first?.from ?? ""), 0);
  });

  it("names the person whose word it was, and their reason", async () => {
    const id = world.serverIds.get("work") ?? "";
    await perform(actOnCircuit, ctx(), { id, act: "trip", reason: "It answers nonsense." });
    const tripped = (await timeline("work"))?.bands.at(-1);
    expect(tripped).toMatchObject({ state: "forced-open", reason: "It answers nonsense." });
    expect(tripped?.by).toBe(world.tenant.admin.email);
    await perform(actOnCircuit, ctx(), { id, act: "reset", reason: "It is well again." });
    expect((await timeline("work"))?.bands.at(-1)).toMatchObject({ state: "closed", reason: "It is well again." });
  });

  it("is told for a tool that has a circuit of its own, and begins anew when the server is changed", async () => {
    const id = world.serverIds.get("tools") ?? "";
    const circuitPolicy = { recoveryMs: 600_000, failureThreshold: 2, perTool: ["do"] };
    await perform(changeServer, ctx(), { id, circuitPolicy });
    world.upstreams.get("tools")?.setFault("status-500");
    await expect.poll(() => call("tools"), patiently).toBe("circuit_open");
    expect(await states("tools", "do")).toEqual(["closed", "open"]);
    expect(await states("tools")).toEqual(["closed"]);
    await perform(changeServer, ctx(), { id, poolSize: 3 });
    expect((await timeline("tools", "do"))?.bands.at(-1)).toMatchObject({
      ...{ state: "closed", reason: "The server was changed, and its circuit began anew." },
    });
  });

  it("is the last state before, where nothing happened within the time", async () => {
    await change({ server: "old", state: "open", at: Date.now() - 3 * 3_600_000 });
    expect(await states("old")).toEqual(["open"]);
    expect(await states("never")).toEqual(["closed"]);
    const all = await perform(readCircuits, ctx(), { range: "1h" });
    expect(all.circuits.map(({ server, tool }) => [server, tool])).toEqual([
      ["old", null],
      ["tools", "do"],
      ["work", null],
    ]);
  });

  it("waits while the database does not take it, and is stored in order then, once", async () => {
    const { tenantId } = world.tenant;
    const told = (state: "open" | "half-open") =>
      recordCircuitChange({ tenantId, server: "late", tool: null, state, reason: "told", process: null });
    await pool().query("revoke insert on circuit_changes from countersign_tenant");
    try {
      told("open");
      await expect(storeCircuitChanges()).rejects.toThrow(/permission denied/);
      told("half-open");
    } finally {
      await pool().query("grant insert on circuit_changes to countersign_tenant");
    }
    await storeCircuitChanges();
    await storeCircuitChanges();
    const { rows } = await tenantSql(tenantId, (client) =>
      client.query("select state from circuit_changes where server = 'late' order by at, id"),
    );
    expect(rows).toEqual([{ state: "open" }, { state: "half-open" }]);
  });

  it("ends with the process whose circuit it was, and only then", async () => {
    const [gone, alive] = [newId(), newId()];
    const stoppedAt = new Date(Date.now() - 60_000);
    const start = "insert into gateway_processes (id, lock_key, version, closed_at) values ($1, 1, 'test', $2)";
    await pool().query(start, [gone, stoppedAt]);
    await pool().query(start, [alive, null]);
    await change({ server: "orphan", state: "open", at: Date.now() - 120_000, process: gone });
    await change({ server: "living", state: "open", at: Date.now() - 120_000, process: alive });
    await closeOrphanedCircuits(world.tenant.tenantId, Date.now());
    await closeOrphanedCircuits(world.tenant.tenantId, Date.now());
    expect(await states("living")).toEqual(["closed", "open"]);
    const bands = (await timeline("orphan"))?.bands ?? [];
    expect(bands.map(({ state }) => state)).toEqual(["closed", "open", "closed"]);
    expect(bands.at(-1)?.from).toBe(stoppedAt.toISOString());
  });

  it("is kept as long as hours are, and the last state for ever", async () => {
    const day = 86_400_000;
    await change({ server: "aged", state: "open", at: Date.now() - 300 * day });
    await change({ server: "aged", state: "closed", at: Date.now() - 299 * day });
    await change({ server: "aged", state: "open", at: Date.now() - 298 * day });
    await dropOldCircuitChanges();
    const { rows } = await tenantSql(world.tenant.tenantId, (client) =>
      client.query("select state from circuit_changes where server = 'aged'"),
    );
    expect(rows).toEqual([{ state: "open" }]);
    expect(await states("aged")).toEqual(["open"]);
  });
});
