import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { revokeAgentKey } from "@/lib/agents/keys";
import type { EntryDraft } from "@/lib/audit/entry";
import { perform } from "@/lib/audit/perform";
import { AppError } from "@/lib/core/errors";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { platformSql, tenantSql } from "@/lib/db/sql";
import { boot, shutdown } from "@/lib/gateway/boot";
import { getGateway } from "@/lib/gateway/compose";
import { executeToolCall } from "@/lib/gateway/execute-tool-call";
import { createWorld, type Mount, openDoor, type World, type WorldServer } from "@/lib/testing/gateway-world";
import { type RpcOptions, rpc } from "@/lib/testing/rpc";

type Row = { phase: string; event_type: string; outcome: string; record: Record<string, unknown>; event_id: string };

const ENTRY = "dev.countersign/entry";
const ERROR = "dev.countersign/error";
const worlds: World[] = [];

beforeAll(() => boot());
afterAll(() => shutdown());
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

async function world(
  servers: Record<string, WorldServer> = { files: { tools: ["read", "drop"], map: { read: "files:read" } } },
) {
  const made = await createWorld(servers);
  worlds.push(made);
  return made;
}

async function entries(tenantId: string): Promise<Row[]> {
  const sql = "select event_id::text, record from audit_entries where tenant_id = $1 order by seq";
  const run =
    tenantId === PLATFORM_TENANT_ID
      ? platformSql
      : <T>(f: Parameters<typeof tenantSql<T>>[1]) => tenantSql(tenantId, f);
  const { rows } = await run((client) => client.query<{ event_id: string; record: Buffer }>(sql, [tenantId]));
  return rows.map(({ event_id, record }) => {
    const parsed = JSON.parse(record.toString("utf8"));
    return { event_id, record: parsed, phase: parsed.phase, event_type: parsed.event_type, outcome: parsed.outcome };
  });
}
const calls = async (tenantId: string) =>
  (await entries(tenantId)).filter((row) => row.event_type.startsWith("tool_call."));

describe.each<Mount>(["node", "web"])("the door, mounted by %s", (mount) => {
  let door: Awaited<ReturnType<typeof openDoor>>;
  beforeAll(async () => {
    door = await openDoor(mount);
  });
  afterAll(() => door.close());
  const ask = (method: string, params: Record<string, unknown> = {}, options: RpcOptions = {}, path = "") =>
    rpc(`${door.url}${path}`, method, params, options);

  describe.each(["modern", "legacy"] as const)("in the %s era", (era) => {
    it("runs an allowed call, and the trail holds its intent and outcome", async () => {
      const { tenant, agent, upstreams } = await world();
      const { key, agentId } = await agent("files:read");
      const reply = await ask("tools/call", { name: "files__read", arguments: { path: "a" } }, { era, key });
      expect(reply.status).toBe(200);
      expect(reply.body.result.content).toEqual([{ type: "text", text: '{"path":"a"}' }]);
      expect(upstreams.get("files")?.calls).toEqual([{ tool: "read", args: { path: "a" } }]);
      const [intent, outcome] = await calls(tenant.tenantId);
      expect(intent).toMatchObject({ phase: "intent", event_type: "tool_call.started", outcome: "pending" });
      expect(outcome).toMatchObject({ phase: "outcome", event_type: "tool_call.finished", outcome: "success" });
      expect(outcome?.event_id).toBe(reply.body.result._meta[ENTRY]);
      expect(outcome?.record).toMatchObject({
        actor_id: agentId,
        server: "files",
        tool: "read",
        rule_id: "map:files/read=files:read",
        permission: "files:read",
        breaker_state: "closed",
        era,
      });
      expect(outcome?.record["call_id"]).toBe(intent?.record["call_id"]);
      expect(JSON.stringify(await entries(tenant.tenantId))).not.toContain(key);
    });

    it("refuses a denied call with the missing permission, in one entry, and an unknown name in the same way", async () => {
      const { tenant, agent, upstreams } = await world();
      const { key } = await agent("files:read");
      for (const name of ["files__drop", "files__nothing", "nowhere__read", "read"]) {
        const { status, body } = await ask("tools/call", { name, arguments: {} }, { era, key });
        expect(status).toBe(200);
        expect(body.result).toMatchObject({ isError: true });
        expect(body.result.content[0].text).toContain("admin:*");
        expect(body.result._meta[ERROR]).toMatchObject({ code: "permission_denied", missing: "admin:*" });
        const last = (await calls(tenant.tenantId)).at(-1);
        expect(last).toMatchObject({ event_type: "tool_call.denied", outcome: "denied" });
        expect(last?.event_id).toBe(body.result._meta[ENTRY]);
      }
      expect(await calls(tenant.tenantId)).toHaveLength(4);
      expect(upstreams.get("files")?.calls).toHaveLength(0);
    });

    it("lists exactly what may be called, with the original names at the single door", async () => {
      const { agent } = await world({
        files: { tools: ["read", "write", "drop"], map: { read: "files:read", write: "files:write" } },
        notes: { tools: ["add"], map: { add: "notes:write" } },
      });
      const { key } = await agent("files:*");
      const joint = await ask("tools/list", {}, { era, key });
      expect(joint.body.result.tools.map((tool: { name: string }) => tool.name)).toEqual([
        "files__read",
        "files__write",
      ]);
      expect(joint.body.result._meta[ENTRY]).toMatch(/^[0-9a-f-]{36}$/);
      expect(joint.body.result.cacheScope).toBe(era === "modern" ? "private" : undefined);
      const single = await ask("tools/list", {}, { era, key }, "/files");
      expect(single.body.result.tools.map((tool: { name: string }) => tool.name)).toEqual(["read", "write"]);
      expect((await ask("tools/list", {}, { era, key }, "/notes")).body.result.tools).toEqual([]);
      const called = await ask("tools/call", { name: "write", arguments: {} }, { era, key }, "/files");
      expect(called.body.result.isError).toBeUndefined();
    });

    it("passes progress on as a stream, with the caller's own token", async () => {
      const { agent } = await world({ files: { tools: ["read"], map: { read: "files:read" }, progress: 2, era } });
      const { key } = await agent("files:read");
      const reply = await ask(
        "tools/call",
        { name: "files__read", arguments: {} },
        { era, key, meta: { progressToken: "tok" } },
      );
      expect(reply.headers.get("content-type")).toContain("text/event-stream");
      expect(reply.headers.get("x-accel-buffering")).toBe("no");
      const events = [...reply.text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1] ?? ""));
      expect(events.slice(0, 2).map((event) => event.params)).toEqual([
        { progressToken: "tok", progress: 1, total: 2 },
        { progressToken: "tok", progress: 2, total: 2 },
      ]);
      expect(events[2].result._meta[ENTRY]).toBeDefined();
    });
  });

  it("answers 401 without a good key, and says why in the platform's chain", async () => {
    for (const key of [null, "cs_nonsense", `cs_${"A".repeat(43)}`]) {
      const { status, headers, body } = await ask("tools/list", {}, { key });
      expect(status).toBe(401);
      expect(headers.get("www-authenticate")).toBe('Bearer realm="countersign"');
      expect(body.error.data).toMatchObject({ code: "unauthenticated" });
      expect(body.error.data.entry).toMatch(/^[0-9a-f-]{36}$/);
      expect(body.error.data.requestId).toBe(headers.get("x-request-id"));
    }
    const { key } = await (await world()).agent("files:read");
    expect((await ask("tools/list", {}, {}, `?key=${key}`)).status).toBe(401);
  });

  it("greets both eras", async () => {
    const { key } = await (await world()).agent();
    const discovered = await ask("server/discover", {}, { key });
    expect(discovered.body.result).toMatchObject({ cacheScope: "private" });
    expect(discovered.body.result.supportedVersions[0]).toBe("2026-07-28");
    const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "old", version: "1" } };
    const greeted = await ask("initialize", params, { era: "legacy", key });
    expect(greeted.body.result).toMatchObject({ protocolVersion: "2025-06-18", serverInfo: { name: "countersign" } });
    expect(greeted.headers.get("mcp-session-id")).toBeTruthy();
    expect((await ask("ping", {}, { era: "legacy", key })).body.result).toBeDefined();
    expect((await ask("notifications/initialized", {}, { era: "legacy", key, id: null })).status).toBe(202);
    expect((await ask("ping", {}, { key })).status).toBe(404);
    expect((await ask("nope/nope", {}, { key })).body.error.code).toBe(-32601);
    expect((await ask("nope/nope", {}, { era: "legacy", key })).status).toBe(200);
  });

  it.each([
    ["no Mcp-Method", { "mcp-method": "" }, {}, 400, -32020],
    ["another Mcp-Method", { "mcp-method": "tools/list" }, {}, 400, -32020],
    ["another Mcp-Name", { "mcp-name": "files__drop" }, {}, 400, -32020],
    ["another version in the header", { "mcp-protocol-version": "2025-11-25" }, {}, 400, -32020],
    [
      "a version that does not exist",
      { "mcp-protocol-version": "2099-01-01" },
      { "io.modelcontextprotocol/protocolVersion": "2099-01-01" },
      400,
      -32022,
    ],
    ["no client capabilities", {}, { "io.modelcontextprotocol/clientCapabilities": undefined }, 400, -32602],
  ])("refuses a modern call with %s", async (_, headers, meta, status, code) => {
    const { agent, upstreams } = await world();
    const { key } = await agent("files:*");
    const reply = await ask("tools/call", { name: "files__read", arguments: {} }, { key, headers, meta });
    expect([reply.status, reply.body.error.code]).toEqual([status, code]);
    expect(reply.body.error.data.entry).toMatch(/^[0-9a-f-]{36}$/);
    expect(upstreams.get("files")?.calls).toHaveLength(0);
  });

  it("keeps to the manners of HTTP", async () => {
    const { key } = await (await world()).agent("files:*");
    const authorization = `Bearer ${key}`;
    const json = { authorization, "content-type": "application/json" };
    const post = (body: string, headers: Record<string, string>) => fetch(door.url, { method: "POST", headers, body });
    for (const method of ["GET", "PUT"]) {
      const reply = await fetch(door.url, { method, headers: { authorization } });
      expect([reply.status, reply.headers.get("allow")]).toEqual([405, "GET, POST, DELETE"]);
    }
    expect((await post("{}", { authorization, "content-type": "text/plain" })).status).toBe(415);
    expect((await post("{}", { ...json, accept: "text/html" })).status).toBe(406);
    expect((await post("{", json)).status).toBe(400);
    expect((await post("[]", json)).status).toBe(400);
    expect((await post(`{"a":"${"x".repeat(4 * 1024 * 1024)}"}`, json)).status).toBe(413);
    const deep = await post(
      `{"jsonrpc":"2.0","id":1,"method":"ping","params":${"[".repeat(100)}${"]".repeat(100)}}`,
      json,
    );
    expect(deep.status).toBe(400);
    expect((await deep.json()).error.data.code).toBe("invalid_input");
    expect((await post("{}", { ...json, origin: "https://evil.example" })).status).toBe(403);
    expect((await post("{}", { ...json, origin: "null" })).status).toBe(403);
    expect((await post("{}", { ...json, origin: new URL(door.url).origin })).status).toBe(400);
    const page = await fetch(`${door.url}/errors.md`);
    expect(await page.text()).toContain("## permission_denied");
  });

  it("stops a revoked key at once", async () => {
    const { tenant, agent } = await world();
    const { key, keyId, agentId } = await agent("files:read");
    expect((await ask("tools/list", {}, { key })).status).toBe(200);
    await perform(revokeAgentKey, tenant.ctx(), { id: agentId, keyId });
    expect((await ask("tools/list", {}, { key })).status).toBe(401);
    expect((await entries(tenant.tenantId)).at(-1)?.record).toMatchObject({
      reason_code: "key_revoked",
      actor_id: agentId,
    });
  });
});

describe("a server that fails", () => {
  let door: Awaited<ReturnType<typeof openDoor>>;
  beforeAll(async () => {
    door = await openDoor("node");
  });
  afterAll(() => door.close());
  const two = { bad: { tools: ["x"], map: { x: "t:x" }, deadlineMs: 300 }, good: { tools: ["x"], map: { x: "t:x" } } };

  it.each(["hang", "reset", "garbage", "huge", "wrong-id", "status-500"] as const)(
    "by %s opens its circuit after exactly five calls, and hurts nobody else",
    async (fault) => {
      const { tenant, agent, upstreams } = await world(two);
      const { key } = await agent("t:x");
      const call = (server: string) => rpc(door.url, "tools/call", { name: `${server}__x`, arguments: {} }, { key });
      upstreams.get("bad")?.setFault(fault);
      const before = upstreams.get("bad")?.requests.length ?? 0;
      for (let failure = 0; failure < 5; failure += 1) {
        const [bad, good] = await Promise.all([call("bad"), call("good")]);
        expect(bad.body.error ?? bad.body.result).toBeDefined();
        expect(bad.body.result?._meta[ERROR].code ?? bad.body.error.data.code).toMatch(/^upstream_/);
        expect(good.body.result.isError).toBeUndefined();
      }
      const asked = upstreams.get("bad")?.requests.filter((request) => request.method === "tools/call").length;
      const refused = await call("bad");
      expect(refused.body.result._meta[ERROR]).toMatchObject({ code: "circuit_open" });
      expect(refused.body.result._meta[ERROR].retryAfterMs).toBeGreaterThan(50_000);
      expect(upstreams.get("bad")?.requests.filter((request) => request.method === "tools/call")).toHaveLength(
        asked ?? -1,
      );
      expect(asked).toBe(5);
      expect(before).toBeGreaterThan(0);
      expect((await calls(tenant.tenantId)).at(-1)).toMatchObject({
        event_type: "tool_call.refused",
        outcome: "failure",
      });
      expect((await call("good")).body.result.isError).toBeUndefined();
    },
  );

  it("refuses an open circuit in less than 5 ms", async () => {
    const { tenant, agent, upstreams } = await world(two);
    const { key } = await agent("t:x");
    upstreams.get("bad")?.setFault("status-500");
    const call = () => rpc(door.url, "tools/call", { name: "bad__x", arguments: {} }, { key });
    for (let failure = 0; failure < 6; failure += 1) await call();
    const entrance = { requestId: "timed-call", door: "test", ip: null, userAgent: null };
    const credential = { kind: "key", secret: key } as const;
    const refused = { credential, ref: { server: "bad", tool: "x" }, args: {}, entrance };
    const gateway = getGateway();
    const timed = async (run: () => Promise<unknown>) => {
      const startedAt = performance.now();
      await run();
      return performance.now() - startedAt;
    };
    const actor = { type: "system", id: "test", name: "test" } as const;
    const draft: EntryDraft = {
      tenantId: tenant.tenantId,
      actor,
      phase: "system",
      eventType: "test.timed",
      outcome: "success",
      requestId: "t",
    };
    // What a busy machine's disk takes for an entry is no fault of the refusal, so it is measured beside it, in turns.
    const dearer: number[] = [];
    for (let round = 0; round < 41; round += 1) {
      const appending = await timed(() => gateway.append(draft));
      const refusing = await timed(async () => {
        expect(await executeToolCall(gateway, refused)).toMatchObject({ error: { code: "circuit_open" } });
      });
      dearer.push(refusing - appending);
    }
    // The slower ones measure who else was running; a refusal that waits for anything is slow in all of them.
    expect(dearer.sort((one, other) => one - other)[8]).toBeLessThan(5);
  });

  it("does not open its circuit for bad arguments or for errors that its tools report", async () => {
    const { agent, upstreams } = await world(two);
    const { key } = await agent("t:x");
    for (const fault of ["rpc-error", "is-error", "status-401"] as const) {
      upstreams.get("bad")?.setFault(fault);
      for (let count = 0; count < 7; count += 1) await rpc(door.url, "tools/call", { name: "bad__x" }, { key });
    }
    upstreams.get("bad")?.setFault("none");
    expect((await rpc(door.url, "tools/call", { name: "bad__x" }, { key })).body.result.isError).toBeUndefined();
  });

  it("is told when the caller leaves, and the trail says so", async () => {
    const { tenant, agent, upstreams } = await world({ slow: { tools: ["x"], map: { x: "t:x" }, deadlineMs: 10_000 } });
    const { key } = await agent("t:x");
    upstreams.get("slow")?.setFault("hang");
    const caller = new AbortController();
    const call = rpc(door.url, "tools/call", { name: "slow__x" }, { key, signal: caller.signal }).catch(() => null);
    const legacy = rpc(door.url, "tools/call", { name: "slow__x" }, { key, era: "legacy", id: 77 });
    const reached = () => upstreams.get("slow")?.requests.filter(({ method }) => method === "tools/call").length;
    await expect.poll(reached, { timeout: 10_000 }).toBe(2);
    caller.abort();
    await call;
    await rpc(door.url, "notifications/cancelled", { requestId: 77 }, { key, era: "legacy", id: null });
    expect((await legacy).body.error.data.code).toBe("cancelled");
    await expect.poll(() => upstreams.get("slow")?.left(), { timeout: 10_000 }).toBe(2);
    const ended = async () => (await calls(tenant.tenantId)).filter((row) => row.phase === "outcome");
    await expect.poll(async () => (await ended()).length, { timeout: 10_000 }).toBe(2);
    expect((await ended()).map((row) => row.record["reason_code"])).toEqual(["cancelled", "cancelled"]);
  });
});

describe("the trail", () => {
  it("is never passed by: when it cannot take the intent, nothing reaches the server", async () => {
    const { agent, upstreams } = await world();
    const { key } = await agent("files:read");
    const credential = { kind: "key", secret: key } as const;
    const entrance = { requestId: "test-request", door: "test", ip: null, userAgent: null };
    const call = { credential, ref: { server: "files", tool: "read" }, args: {}, entrance };
    const down = () => Promise.reject(new AppError("audit_unavailable", "away"));
    const refused = await executeToolCall({ ...getGateway(), append: down }, call);
    expect(refused).toMatchObject({ ok: false, entry: null, error: { code: "audit_unavailable" } });
    expect(upstreams.get("files")?.calls).toHaveLength(0);
    const { append } = getGateway();
    const withheld = await executeToolCall(
      { ...getGateway(), append: (draft) => (draft.phase === "intent" ? append(draft) : down()) },
      call,
    );
    expect(withheld).toMatchObject({ ok: false, error: { code: "audit_unavailable" } });
    expect(withheld.entry).toMatch(/^[0-9a-f-]{36}$/);
    expect(upstreams.get("files")?.calls).toHaveLength(1);
  });
});
