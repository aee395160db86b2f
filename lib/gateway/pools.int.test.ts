import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { perform } from "@/lib/audit/perform";
import { newId } from "@/lib/core/ids";
import { circuitViews } from "@/lib/gateway/circuits";
import { closeGateway, getGateway } from "@/lib/gateway/compose";
import { executeToolCall } from "@/lib/gateway/execute-tool-call";
import { poolViews, warmPools } from "@/lib/gateway/pools";
import { makeHome } from "@/lib/mcp/upstream/stdio-homes";
import { changeServer } from "@/lib/servers/change-server";
import { provideCircuitViews } from "@/lib/servers/circuit-views";
import { getServer } from "@/lib/servers/read";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { createTestAgent, createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { stdioProgram } from "@/lib/testing/fault-program";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

/** Lists one tool, and answers its call once a file is there, so that calls meet for certain. */
const GATED = `(m, write) => {
  if (m.method === "tools/list") return { tools: [{ name: "who", inputSchema: { type: "object" } }] };
  const answer = { id: m.id, result: { content: [{ type: "text", text: String(process.pid) }] } };
  const timer = setInterval(() => {
    if (!require("node:fs").existsSync(process.env.GATE)) return;
    clearInterval(timer);
    write(answer);
  }, 20);
}`;

async function until(holds: () => boolean): Promise<boolean> {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((go) => setTimeout(go, 20))) {
    if (holds()) return true;
  }
  return false;
}

describe("pools", () => {
  let tenant: TestTenant;
  let id = "";
  const gate = join(tmpdir(), `cs-gate-${newId()}`);
  let http: World;
  beforeAll(async () => {
    provideCircuitViews(circuitViews, poolViews);
    tenant = await createTestTenant();
    const endpoint = {
      transport: "stdio",
      command: "node",
      args: ["-e", stdioProgram(GATED)],
      env: { GATE: gate },
    } as const;
    const server = { slug: "programs", name: "programs", endpoint };
    id = (await perform(registerServer, tenant.ctx(), server)).id;
    const poolLimits = { maxChildren: 3, maxConcurrent: 4, maxQueued: 1 };
    await perform(changeServer, tenant.ctx(), { id, poolSize: 2, poolLimits });
    await perform(enableServer, tenant.ctx(), { id });
    http = await createWorld({ sockets: { tools: ["do"] } });
  });
  afterAll(async () => {
    await closeGateway();
    await http.close();
    rmSync(gate, { force: true });
  });

  it("are warm at the start: programs and sockets, as many as the base, and homes of the dead are gone", async () => {
    const dead = spawnSync("true").pid;
    const own = makeHome();
    const orphaned = join(tmpdir(), basename(own).replace(`cs-stdio-${process.pid}.`, `cs-stdio-${dead}.`));
    mkdirSync(orphaned);
    await warmPools();
    expect([existsSync(orphaned), existsSync(own)]).toEqual([false, true]);
    rmSync(own, { recursive: true });
    expect(await until(() => poolViews(tenant.tenantId).get("programs")?.open === 2)).toBe(true);
    expect(await until(() => poolViews(http.tenant.tenantId).get("sockets")?.open === 5)).toBe(true);
    expect(poolViews(tenant.tenantId).get("programs")).toMatchObject({ created: 2, reused: 0, inUse: 0 });
  });

  it("say what is in use, created, reused, exhausted and refused, also to who reads the server", async () => {
    const { key } = await createTestAgent(tenant, ["admin:*"]);
    const call = async (): Promise<string> => {
      const outcome = await executeToolCall(getGateway(), {
        credential: { kind: "key", secret: key },
        ref: { server: "programs", tool: "who" },
        args: {},
        entrance: { requestId: "pools", door: "test", ip: null, userAgent: null },
      });
      return outcome.ok ? "ok" : outcome.error.code;
    };
    const calls = Array.from({ length: 6 }, call);
    const view = () => poolViews(tenant.tenantId).get("programs");
    // Two were warm, a third was started when both were busy, and no fourth for the fourth call.
    expect(await until(() => view()?.inUse === 4 && view()?.queued === 1 && view()?.open === 3)).toBe(true);
    expect(view()).toMatchObject({ open: 3, created: 3, exhausted: 2, refused: 1 });
    writeFileSync(gate, "");
    expect((await Promise.all(calls)).sort()).toEqual(["ok", "ok", "ok", "ok", "ok", "overloaded"]);
    const { pool } = await perform(getServer, tenant.ctx(), { id });
    expect(pool).toMatchObject({ inUse: 0, queued: 0, maxConcurrent: 4, maxQueued: 1, created: 3, exhausted: 2 });
    expect(pool?.reused).toBeGreaterThan(0);
  });
});
