import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { bus } from "@/lib/core/bus";
import { inTenant } from "@/lib/db/in-tenant";
import { boot, shutdown } from "@/lib/gateway/boot";
import { META, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";
import { createProfile, deleteProfile } from "@/lib/profiles/change-profile";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { type ConformanceUpstream, startConformanceUpstream } from "@/lib/testing/conformance-upstream";
import { createWorld, openDoor, type World } from "@/lib/testing/gateway-world";
import { openRawSocket } from "@/lib/testing/raw-socket";
import { WsTransport, wsClient } from "@/lib/testing/ws-transport";

const PATIENCE = { timeout: 10_000, interval: 50 };
const MODERN = { [META.protocolVersion]: MODERN_VERSION, [META.clientCapabilities]: {} };

let world: World;
let asking: ConformanceUpstream;
let door: Awaited<ReturnType<typeof openDoor>>;

beforeAll(async () => {
  await boot();
  world = await createWorld({ files: { tools: ["read"], map: { read: "files:read" } } });
  asking = await startConformanceUpstream("legacy");
  const endpoint = { transport: "http", url: asking.url } as const;
  const { id } = await perform(registerServer, world.tenant.ctx(), { slug: "asking", name: "asking", endpoint });
  await perform(enableServer, world.tenant.ctx(), { id });
  const { version } = await currentPermissionMap(world.tenant.tenantId);
  const changes = [{ server: "asking", tool: "test_elicitation", permission: "asking:call" }];
  await perform(changePermissionMap, world.tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await asking.close();
  await world.close();
  await shutdown();
});

const open = (key: string, path = "/ws") =>
  openRawSocket(`${door.url}${path}`, { headers: { authorization: `Bearer ${key}` } });

it("a request is answered under its own id where its profile is gone by then", async () => {
  const profile = { slug: "some", name: "some", tools: [{ server: "files", tool: "*" }] };
  const { id } = await perform(createProfile, world.tenant.ctx(), profile);
  const { key } = await world.agent("files:read");
  const socket = await open(key, "/ws/p/some");
  expect((await socket.ask("tools/list", { _meta: MODERN }, 1)).result.tools).toHaveLength(1);
  await perform(deleteProfile, world.tenant.ctx(), { id });
  socket.send({ jsonrpc: "2.0", id: "second", method: "tools/list", params: { _meta: MODERN } });
  await expect.poll(() => socket.heard.at(-1), PATIENCE).toMatchObject({ id: "second", error: { code: -32004 } });
  socket.socket.close();
});

it("a request is answered under its own id before the socket is closed for its key", async () => {
  const { key, keyId, agentId } = await world.agent("files:read");
  const socket = await open(key);
  await inTenant(world.tenant.tenantId, (tx) =>
    tx.agentKey.updateMany({ where: { id: keyId }, data: { revokedAt: new Date() } }),
  );
  bus.publish({ topic: "agent.changed", tenantId: world.tenant.tenantId, agentId });
  socket.send({ jsonrpc: "2.0", id: 0, method: "tools/list", params: { _meta: MODERN } });
  expect(await socket.closed).toBe(1008);
  expect(socket.heard).toMatchObject([{ id: 0, error: { data: { code: "unauthenticated" } } }]);
});

it("what wants no answer gets none, also where it is refused", async () => {
  const { key } = await world.agent("files:read");
  const socket = await open(key);
  const unwanted = [
    { method: "notifications/cancelled", params: [] },
    { method: "notifications/cancelled", params: { _meta: { [META.protocolVersion]: "1999-01-01" } } },
    { id: "cs-made-up", result: {} },
  ];
  for (const message of unwanted) socket.send({ jsonrpc: "2.0", ...message });
  expect((await socket.ask("tools/list", { _meta: MODERN }, 9)).result.tools).toHaveLength(1);
  expect(socket.heard.map(({ id }) => id)).toEqual([9]);
  socket.socket.close();
});

it("a client that takes its call back is told that the question in its middle is off", async () => {
  const { key } = await world.agent("asking:call");
  const cancelling = new AbortController();
  let told = false;
  const client = new OldClient({ name: "v1", version: "1" }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, (_question, { signal }) => {
    setTimeout(() => cancelling.abort(), 50);
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        told = true;
        reject(new Error("off"));
      });
    });
  });
  await client.connect(new WsTransport(wsClient(`${door.url}/ws`, key)) as Parameters<typeof client.connect>[0]);
  const { signal } = cancelling;
  const call = { name: "asking__test_elicitation", arguments: { message: "Sure?" } };
  await expect(client.callTool(call, undefined, { signal })).rejects.toThrow();
  await expect.poll(() => told, PATIENCE).toBe(true);
  await client.close();
});
