import { Client as ModernClient } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { bus } from "@/lib/core/bus";
import { resetSingleton } from "@/lib/core/singleton";
import { inTenant } from "@/lib/db/in-tenant";
import { boot, shutdown } from "@/lib/gateway/boot";
import { drainSockets } from "@/lib/mcp/door/ws-mount";
import { META, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { type ConformanceUpstream, startConformanceUpstream } from "@/lib/testing/conformance-upstream";
import { createWorld, openDoor, type World } from "@/lib/testing/gateway-world";
import { openRawSocket, refusedHandshake } from "@/lib/testing/raw-socket";
import { readTrail } from "@/lib/testing/read-trail";
import { WsTransport, wsClient } from "@/lib/testing/ws-transport";

/** Far more than anything here takes, also on a machine that is busy. */
const PATIENCE = { timeout: 30_000, interval: 50 };
const MODERN = {
  [META.protocolVersion]: MODERN_VERSION,
  [META.clientInfo]: { name: "raw", version: "1" },
  [META.clientCapabilities]: {},
};

let world: World;
let asking: ConformanceUpstream;
let door: Awaited<ReturnType<typeof openDoor>>;

beforeAll(async () => {
  await boot();
  world = await createWorld({
    files: { tools: ["read", "drop"], map: { read: "files:read", drop: "files:delete" }, progress: 2 },
    notes: { tools: ["add"], map: { add: "notes:write" }, era: "legacy" },
    slow: { tools: ["wait"], map: { wait: "slow:wait" }, deadlineMs: 60_000 },
    late: { tools: ["wait"], map: { wait: "late:wait" }, slowMs: 1_500, deadlineMs: 60_000 },
  });
  world.upstreams.get("slow")?.setFault("hang");
  world.upstreams.get("late")?.setFault("slow");
  asking = await startConformanceUpstream("legacy");
  const endpoint = { transport: "http", url: asking.url } as const;
  const { id } = await perform(registerServer, world.tenant.ctx(), { slug: "asking", name: "asking", endpoint });
  await perform(enableServer, world.tenant.ctx(), { id });
  await map("asking", "test_elicitation", "asking:call");
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await asking.close();
  await world.close();
  await shutdown();
});

async function map(server: string, tool: string, permission: string): Promise<void> {
  const { version } = await currentPermissionMap(world.tenant.tenantId);
  const changes = [{ server, tool, permission }];
  await perform(changePermissionMap, world.tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
}

async function oldClient(key: string, path = "/ws", prepare?: (client: OldClient) => void) {
  const transport = new WsTransport(wsClient(`${door.url}${path}`, key));
  const client = new OldClient({ name: "v1", version: "1" }, { capabilities: { elicitation: {} } });
  prepare?.(client);
  // Its transport type predates exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return client;
}

const open = (key: string, options: { autoPong?: boolean } = {}) =>
  openRawSocket(`${door.url}/ws`, { ...options, headers: { authorization: `Bearer ${key}` } });

const wait = (id: number, server: string) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name: `${server}__wait`, arguments: {}, _meta: MODERN },
});

describe("clients over a WebSocket", () => {
  it("of the v1 SDK list what they may call, call it and hear of progress", async () => {
    const { key } = await world.agent("files:read", "notes:write");
    const client = await oldClient(key);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["files__read", "notes__add"]);
    const progress: unknown[] = [];
    const read = await client.callTool({ name: "files__read", arguments: { path: "a" } }, undefined, {
      onprogress: (each) => progress.push(each),
    });
    expect(read.content).toEqual([{ type: "text", text: '{"path":"a"}' }]);
    expect(progress).toHaveLength(2);
    await client.close();
  });

  it.each(["legacy", { pin: MODERN_VERSION }, "auto"] as const)("of the v2 SDK too, in mode %o", async (mode) => {
    const { key } = await world.agent("files:read", "notes:write");
    const client = new ModernClient({ name: "v2", version: "1" }, { versionNegotiation: { mode } });
    await client.connect(new WsTransport(wsClient(`${door.url}/ws`, key)));
    expect(client.getNegotiatedProtocolVersion()).toBe(mode === "legacy" ? "2025-11-25" : MODERN_VERSION);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["files__read", "notes__add"]);
    const progress: unknown[] = [];
    const args = { name: "files__read", arguments: { path: "a" } };
    const read = await client.callTool(args, { onprogress: (each) => progress.push(each) });
    expect(read.content).toEqual([{ type: "text", text: '{"path":"a"}' }]);
    expect(progress).toHaveLength(2);
    await client.close();
  });

  it("see original names at the door of one server", async () => {
    const { key } = await world.agent("notes:*");
    const client = await oldClient(key, "/ws/notes");
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["add"]);
    await client.close();
  });

  it("leave the same entries as over HTTP, under the door's own name", async () => {
    const { key, agentId } = await world.agent("files:read");
    const socket = await open(key);
    const call = (name: string) => socket.ask("tools/call", { name, arguments: {}, _meta: MODERN });
    const [done, refused] = [await call("files__read"), await call("files__drop")];
    expect(refused.result._meta["dev.countersign/error"]).toMatchObject({ code: "permission_denied" });
    const mine = (await readTrail(world.tenant.tenantId)).filter(({ text }) => text.includes(agentId));
    expect(mine.map(({ type }) => type)).toEqual([
      "connection.opened",
      "tool_call.started",
      "tool_call.finished",
      "tool_call.denied",
    ]);
    expect(mine.every(({ text }) => text.includes("/api/mcp/ws"))).toBe(true);
    expect(mine[2]?.text).toContain(done.result._meta["dev.countersign/entry"]);
    socket.socket.close();
  });

  it("are asked what a server asks, and told what changes, on the same socket", async () => {
    const { key } = await world.agent("asking:call", "files:read");
    const heard: string[] = [];
    const client = await oldClient(key, "/ws", (each) => {
      each.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: { said: "by socket" } }));
      each.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.push("tools"));
    });
    const asked = await client.callTool({ name: "asking__test_elicitation", arguments: { message: "Sure?" } });
    expect(JSON.stringify(asked.content)).toContain("accept");
    // The stream begins on its own time: a change before that is not told.
    await expect
      .poll(async () => {
        await map("files", "drop", heard.length % 2 === 0 ? "files:drop" : "files:delete");
        return heard.includes("tools");
      }, PATIENCE)
      .toBe(true);
    await client.close();
  });

  it("of the stateless era listen over the socket until they take it back", async () => {
    const { key } = await world.agent("files:read");
    const socket = await open(key);
    const params = { notifications: { toolsListChanged: true }, _meta: MODERN };
    socket.send({ jsonrpc: "2.0", id: 7, method: "subscriptions/listen", params });
    await socket.hear(({ method }) => method === "notifications/subscriptions/acknowledged");
    await expect
      .poll(async () => {
        await map("files", "drop", "files:drop");
        await map("files", "drop", "files:delete");
        return socket.heard.some(({ method }) => method === "notifications/tools/list_changed");
      }, PATIENCE)
      .toBe(true);
    socket.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } });
    // The id is free again once the stream is over.
    await expect
      .poll(() => {
        socket.send({ jsonrpc: "2.0", id: 7, method: "tools/list", params: { _meta: MODERN } });
        return socket.heard.some(({ id, result }) => id === 7 && result?.tools !== undefined);
      }, PATIENCE)
      .toBe(true);
    socket.socket.close();
  });
});

describe("the handshake", () => {
  it.each([
    ["without a key", {}, "/ws", 401, "unauthenticated"],
    ["with a key in the address", {}, "/ws?key=KEY", 401, "unauthenticated"],
    ["of a page elsewhere", { authorization: "KEY", origin: "https://evil.example" }, "/ws", 403, "origin_refused"],
    ["under a foreign name", { authorization: "KEY", host: "evil.example" }, "/ws", 403, "origin_refused"],
  ] as const)("%s is refused before it is answered, and recorded", async (_, headers, path, status, code) => {
    const { key } = await world.agent("files:read");
    const filled = Object.entries(headers).map(([name, value]) => [name, value === "KEY" ? `Bearer ${key}` : value]);
    const refused = await refusedHandshake(`${door.url}${path.replace("KEY", key)}`, {
      headers: Object.fromEntries(filled),
    });
    expect(refused.status).toBe(status);
    expect(refused.body.error.data).toMatchObject({ code, requestId: expect.any(String), entry: expect.any(String) });
  });

  it("wants the subprotocol and an address that there is", async () => {
    const { key } = await world.agent("files:read");
    const headers = { authorization: `Bearer ${key}` };
    const plain = await refusedHandshake(`${door.url}/ws`, { headers, protocol: null });
    expect(plain).toMatchObject({ status: 400, body: { error: { data: { code: "invalid_input" } } } });
    expect((await refusedHandshake(`${door.url}/nothing/here`, { headers })).status).toBe(404);
    expect((await refusedHandshake(`${door.url}/files`, { headers })).status).toBe(404);
  });

  it("is refused to an agent that has 256 sockets", async () => {
    const { key } = await world.agent("files:read");
    const sockets = await Promise.all(Array.from({ length: 256 }, () => open(key)));
    const headers = { authorization: `Bearer ${key}` };
    const refused = await refusedHandshake(`${door.url}/ws`, { headers });
    expect(refused).toMatchObject({ status: 429, body: { error: { data: { code: "rate_limited" } } } });
    expect(refused.headers["retry-after"]).toBe("10");
    const other = await open((await world.agent("files:read")).key);
    for (const { socket } of [...sockets, other]) socket.terminate();
  });
});

describe("frames that carry no message", () => {
  it("are answered with a typed error and leave the socket open", async () => {
    const { key } = await world.agent("files:read");
    const socket = await open(key);
    const bad: readonly [string | Buffer, number, string][] = [
      [Buffer.from("{}"), -32006, "unsupported_media_type"],
      ["{ not json", -32700, "invalid_input"],
      ["[]", -32600, "invalid_input"],
      ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600, "invalid_input"],
      ['{"jsonrpc":"2.0","id":5}', -32600, "invalid_input"],
      [`${'{"a":'.repeat(100)}1${"}".repeat(100)}`, -32700, "invalid_input"],
    ];
    for (const [frame, code, name] of bad) {
      const before = socket.heard.length;
      socket.socket.send(frame, { binary: Buffer.isBuffer(frame) });
      await expect.poll(() => socket.heard.length, PATIENCE).toBe(before + 1);
      const { error } = socket.heard[before];
      expect(error).toMatchObject({ code, data: { code: name, requestId: expect.any(String) } });
      expect(error.data.entry).toEqual(expect.any(String));
    }
    expect((await socket.ask("tools/list", { _meta: MODERN })).result.tools).toHaveLength(1);
    socket.socket.close();
  });

  it("close it with 1009 where they are larger than 4 MiB", async () => {
    const { key } = await world.agent("files:read");
    const socket = await open(key);
    socket.socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping", params: { pad: "x".repeat(4 << 20) } }));
    expect(await socket.closed).toBe(1009);
  });

  it("do not take an id that is in use", async () => {
    const { key } = await world.agent("slow:wait");
    const socket = await open(key);
    socket.send(wait(3, "slow"));
    socket.send(wait(3, "slow"));
    const refused = await socket.hear(({ id, error }) => id === 3 && error !== undefined);
    expect(refused.error).toMatchObject({ data: { code: "invalid_input" } });
    socket.socket.close();
  });
});

describe("calls over a socket", () => {
  const reached = (server: string) =>
    world.upstreams.get(server)?.requests.filter(({ method }) => method === "tools/call").length ?? 0;
  const left = () => world.upstreams.get("slow")?.left() ?? 0;

  it("end at the server when they are taken back, and when the socket goes", async () => {
    const { key } = await world.agent("slow:wait");
    const socket = await open(key);
    const before = { reached: reached("slow"), left: left() };
    socket.send(wait(1, "slow"));
    socket.send(wait(2, "slow"));
    await expect.poll(() => reached("slow"), PATIENCE).toBe(before.reached + 2);
    socket.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
    await expect.poll(left, PATIENCE).toBe(before.left + 1);
    socket.socket.terminate();
    await expect.poll(left, PATIENCE).toBe(before.left + 2);
  });

  it("of the sessions era end with their socket too", async () => {
    const { key } = await world.agent("slow:wait");
    const socket = await open(key);
    const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } };
    await socket.ask("initialize", hello);
    const before = { reached: reached("slow"), left: left() };
    socket.send({ jsonrpc: "2.0", id: 9, method: "tools/call", params: { name: "slow__wait", arguments: {} } });
    await expect.poll(() => reached("slow"), PATIENCE).toBe(before.reached + 1);
    socket.socket.terminate();
    await expect.poll(left, PATIENCE).toBe(before.left + 1);
  });

  it("are bounded", async () => {
    const { key } = await world.agent("slow:wait");
    const socket = await open(key);
    for (let id = 1; id <= 257; id += 1) socket.send(wait(id, "slow"));
    const refused = await socket.hear(({ error }) => error?.data.code === "overloaded");
    expect(refused.id).toBe(257);
    expect(refused.error.message).toContain("on one socket");
    socket.socket.terminate();
  });
});

describe("a key that is revoked", () => {
  const revoke = (keyId: string) =>
    // Past every verb, so that nothing is announced.
    inTenant(world.tenant.tenantId, (tx) =>
      tx.agentKey.updateMany({ where: { id: keyId }, data: { revokedAt: new Date() } }),
    );

  it("stops the next message, and closes the socket with 1008", async () => {
    const { key, keyId, agentId } = await world.agent("files:read");
    const socket = await open(key);
    expect((await socket.ask("tools/list", { _meta: MODERN })).result).toBeDefined();
    await revoke(keyId);
    bus.publish({ topic: "agent.changed", tenantId: world.tenant.tenantId, agentId });
    const answer = await socket.ask("tools/list", { _meta: MODERN }).then(
      ({ error }) => error?.data.code ?? "served",
      // The look at all keys may come first.
      () => "closed",
    );
    expect(["unauthenticated", "closed"]).toContain(answer);
    expect(await socket.closed).toBe(1008);
  });

  it("closes a silent socket too", async () => {
    const { key, keyId } = await world.agent("files:read");
    const socket = await open(key);
    const since = performance.now();
    await revoke(keyId);
    expect(await socket.closed).toBe(1008);
    // Five seconds are promised; the rest is for a machine that is busy with other things.
    expect(performance.now() - since).toBeLessThan(15_000);
  });
});

describe("a stop", () => {
  it("answers what is in flight, executes nothing new, and closes with 1001", async () => {
    const { key } = await world.agent("late:wait");
    const [busy, idle] = [await open(key), await open(key)];
    const calls = () =>
      world.upstreams.get("late")?.requests.filter(({ method }) => method === "tools/call").length ?? 0;
    const before = calls();
    busy.send(wait(1, "late"));
    await expect.poll(calls, PATIENCE).toBe(before + 1);
    drainSockets();
    busy.send(wait(2, "late"));
    expect(await idle.closed).toBe(1001);
    expect(await busy.closed).toBe(1001);
    expect(busy.heard.map(({ id }) => id)).toEqual([1]);
    expect(calls()).toBe(before + 1);
    const refused = await refusedHandshake(`${door.url}/ws`, { headers: { authorization: `Bearer ${key}` } });
    expect(refused).toMatchObject({ status: 503, body: { error: { data: { code: "unavailable" } } } });
    resetSingleton("mcp.sockets");
  });
});
