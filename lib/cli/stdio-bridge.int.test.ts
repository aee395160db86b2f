import { afterAll, beforeAll, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { boot, shutdown } from "@/lib/gateway/boot";
import { META, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { startBridge } from "@/lib/testing/bridge-client";
import { startConformanceUpstream } from "@/lib/testing/conformance-upstream";
import { createWorld, openDoor, type World } from "@/lib/testing/gateway-world";
import { readTrail } from "@/lib/testing/read-trail";

let world: World;
let door: Awaited<ReturnType<typeof openDoor>>;
beforeAll(async () => {
  await boot();
  world = await createWorld({ files: { tools: ["read"], map: { read: "files:read" }, progress: 1 } });
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await world.close();
  await shutdown();
});

async function start() {
  const { key } = await world.agent("files:read");
  return startBridge(door.url, key);
}

const call = { name: "files__read", arguments: { path: "ä" } };

it("bridges a client of the sessions era, with progress", async () => {
  const { send, answerTo, lines, end } = await start();
  const clientInfo = { name: "local", version: "1" };
  send({ id: 1, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo } });
  send({ method: "notifications/initialized" });
  send({ id: 2, method: "tools/call", params: { ...call, _meta: { progressToken: "t" } } });
  expect(await answerTo(1)).toMatchObject({ result: { serverInfo: { name: "countersign" } } });
  expect(await answerTo(2)).toMatchObject({ result: { content: [{ type: "text", text: '{"path":"ä"}' }] } });
  expect(lines.some((line) => line["method"] === "notifications/progress")).toBe(true);
  await end();
});

it("bridges a stateless client, headers and all", async () => {
  const { send, answerTo, end } = await start();
  const _meta = { [META.protocolVersion]: MODERN_VERSION, [META.clientCapabilities]: {} };
  send({ id: 7, method: "tools/call", params: { ...call, _meta } });
  expect(await answerTo(7)).toMatchObject({ result: { resultType: "complete" } });
  await end();
});

it("ends its session when its client leaves", async () => {
  const { send, answerTo, end } = await start();
  const clientInfo = { name: "local", version: "1" };
  send({ id: 1, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo } });
  await answerTo(1);
  const ends = async () =>
    (await readTrail(world.tenant.tenantId)).filter(({ type }) => type === "connection.closed").length;
  const before = await ends();
  await end();
  expect(await ends()).toBe(before + 1);
});

it("puts arguments into headers where the tool wants them there", async () => {
  const upstream = await startConformanceUpstream("modern");
  const { tenant } = world;
  const endpoint = { transport: "http", url: upstream.url } as const;
  const { id } = await perform(registerServer, tenant.ctx(), { slug: "suite", name: "Suite", endpoint });
  await perform(enableServer, tenant.ctx(), { id });
  const { version } = await currentPermissionMap(tenant.tenantId);
  const changes = [{ server: "suite", tool: "test_x_mcp_header", permission: "files:read" }];
  await perform(changePermissionMap, tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
  const { send, answerTo, end } = await start();
  const _meta = { [META.protocolVersion]: MODERN_VERSION, [META.clientCapabilities]: {} };
  for (const [id, region] of [
    [1, "eu"],
    [2, " ü "],
  ] as const) {
    send({ id, method: "tools/call", params: { name: "suite__test_x_mcp_header", arguments: { region }, _meta } });
    expect(await answerTo(id)).toMatchObject({ result: { content: [{ text: JSON.stringify({ region }) }] } });
  }
  await end();
  await upstream.close();
});

it("answers a client with a wrong key under the id of its request", async () => {
  const { send, answerTo, lines, end } = startBridge(door.url, "cs_wrong");
  send({ id: 1, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {} } });
  expect(await answerTo(1)).toMatchObject({ error: { code: -32001, data: { code: "unauthenticated" } } });
  await end();
  expect(lines).toHaveLength(1);
});

it("answers for a request that is too large, and for a door at another address", async () => {
  const { send, answerTo, lines, end } = await start();
  send({ id: 1, method: "tools/call", params: { ...call, arguments: { path: "a".repeat(5 * 1024 * 1024) } } });
  expect(await answerTo(1)).toMatchObject({ error: { data: { code: "payload_too_large" } } });
  await end();
  const lost = startBridge(`${door.url}/no/such/door`);
  lost.send({ id: 2, method: "tools/list" });
  expect(await lost.answerTo(2)).toMatchObject({ error: { message: expect.stringContaining("404") } });
  await lost.end();
  expect(lines.length + lost.lines.length).toBe(2);
});

it("tells a stateless client that its call names no tool", async () => {
  const { send, answerTo, end } = await start();
  const _meta = { [META.protocolVersion]: MODERN_VERSION, [META.clientCapabilities]: {} };
  send({ id: 1, method: "tools/call", params: { arguments: {}, _meta } });
  const issues = [{ path: "params.name" }];
  expect(await answerTo(1)).toMatchObject({ error: { code: -32602, data: { code: "invalid_input", issues } } });
  await end();
});
