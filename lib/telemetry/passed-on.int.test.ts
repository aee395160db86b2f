import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportEntries } from "@/lib/audit/export-entries";
import { perform } from "@/lib/audit/perform";
import { closeTrail } from "@/lib/audit/trail";
import { verifyExport } from "@/lib/audit/verify";
import { verifyTrail } from "@/lib/audit/verify-trail";
import { inTenant } from "@/lib/db/in-tenant";
import { closeGateway } from "@/lib/gateway/compose";
import { META, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";
import type { TestAgent } from "@/lib/testing/factories";
import { createWorld, openDoor, type World } from "@/lib/testing/gateway-world";
import { openRawSocket } from "@/lib/testing/raw-socket";
import { rpc } from "@/lib/testing/rpc";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const traceOf = (at: number) => ({ traceId: `${TRACE.slice(0, 30)}${at}0`, spanId: `00f067aa0ba902b${at}` });
const parentOf = (at: number) => `00-${traceOf(at).traceId}-${traceOf(at).spanId}-01`;

let world: World;
let agent: TestAgent;
let door: Awaited<ReturnType<typeof openDoor>>;
beforeAll(async () => {
  world = await createWorld({ files: { tools: ["read"], map: { read: "files:read" } } });
  agent = await world.agent("files:read");
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await closeGateway();
  await closeTrail();
  await world.close();
});

const call = (headers: Record<string, string>, meta = {}) =>
  rpc(door.url, "tools/call", { name: "files__read", arguments: {} }, { key: agent.key, headers, meta });
const told = () =>
  world.upstreams
    .get("files")
    ?.requests.filter(({ method }) => method === "tools/call")
    .at(-1);
const records = async () => {
  const { tenantId } = world.tenant;
  const where = { tenantId, tool: "read" };
  const rows = await inTenant(tenantId, (tx) => tx.auditEntry.findMany({ where, orderBy: { seq: "asc" } }));
  return rows.map(({ record, traceId }) => ({ ...JSON.parse(Buffer.from(record).toString("utf8")), column: traceId }));
};

describe("a process that traces nothing", () => {
  it("passes the caller's trace on as it came, and its entries carry it", async () => {
    const { traceId, spanId } = traceOf(1);
    await call({ traceparent: parentOf(1), tracestate: "rojo=1" });
    expect(told()?.headers).toMatchObject({ traceparent: parentOf(1), tracestate: "rojo=1" });
    const [intent, outcome] = (await records()).slice(-2);
    for (const entry of [intent, outcome])
      expect(entry).toMatchObject({ trace_id: traceId, span_id: spanId, column: traceId });
  });

  it("believes a message more than what carried it", async () => {
    await call({ traceparent: parentOf(2) }, { traceparent: parentOf(3) });
    expect(told()?.headers["traceparent"]).toBe(parentOf(3));
    await call({ traceparent: parentOf(2) }, { traceparent: "nonsense" });
    expect(told()?.headers["traceparent"]).toBe(parentOf(2));
  });

  it("says nothing of a trace where there is none, or none that can be read", async () => {
    for (const headers of [{}, { traceparent: "nonsense" }]) {
      await call(headers as Record<string, string>);
      expect(told()?.headers["traceparent"]).toBeUndefined();
      expect((await records()).at(-1)).not.toHaveProperty("trace_id");
      expect((await records()).at(-1)?.column).toBeNull();
    }
  });

  it("hears it over a WebSocket from each message, not from the handshake", async () => {
    const headers = { authorization: `Bearer ${agent.key}`, traceparent: parentOf(4) };
    const socket = await openRawSocket(`${door.url}/ws`, { headers });
    const _meta = { [META.protocolVersion]: MODERN_VERSION, [META.clientCapabilities]: {} };
    const params = { name: "files__read", arguments: {} };
    await socket.ask("tools/call", { ...params, _meta });
    expect(told()?.headers["traceparent"]).toBeUndefined();
    await socket.ask("tools/call", { ...params, _meta: { ..._meta, traceparent: parentOf(5) } });
    expect(told()?.headers["traceparent"]).toBe(parentOf(5));
    socket.socket.close();
  });

  it("keeps a chain that holds, and exports it whole and by a trace", async () => {
    expect(await perform(verifyTrail, world.tenant.ctx(), {})).toMatchObject({ valid: true });
    for (const [filter, entries] of [
      [{}, null],
      [{ trace: traceOf(1).traceId }, 2],
    ] as const) {
      const made = await perform(exportEntries, world.tenant.ctx("compliance-officer"), filter);
      const chunks: Buffer[] = [];
      for await (const chunk of made.lines()) chunks.push(Buffer.from(chunk));
      const report = await verifyExport(
        (async function* () {
          yield* chunks;
        })(),
      );
      expect(report).toMatchObject({ valid: true, ...(entries === null ? {} : { entries }) });
      expect(Buffer.concat(chunks).toString()).toContain(`"trace_id":"${traceOf(1).traceId}"`);
    }
  });
});
