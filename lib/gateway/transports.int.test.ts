import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { boot, shutdown } from "@/lib/gateway/boot";
import { parseServers } from "@/lib/servers/parse-servers";
import { probeServer } from "@/lib/servers/probe-server";
import { registerServer } from "@/lib/servers/register-server";
import { registerServerInput } from "@/lib/servers/schemas";
import { enableServer } from "@/lib/servers/switch-server";
import { createTestAgent, createTestTenant, type TestAgent, type TestTenant } from "@/lib/testing/factories";
import { openDoor } from "@/lib/testing/gateway-world";
import { readTrail } from "@/lib/testing/read-trail";
import { rpc } from "@/lib/testing/rpc";
import { type SseServer, startEverythingOverSse } from "@/lib/testing/sse-upstream";
import { type SocketUpstream, startSocketUpstream } from "@/lib/testing/websocket-upstream";

let tenant: TestTenant;
let agent: TestAgent;
let door: Awaited<ReturnType<typeof openDoor>>;
let socket: SocketUpstream;
let sse: SseServer;

beforeAll(async () => {
  await boot();
  [socket, sse] = await Promise.all([startSocketUpstream(), startEverythingOverSse()]);
  tenant = await createTestTenant();
  agent = await createTestAgent(tenant, ["remote:call"]);
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await shutdown();
  await Promise.all([socket.close(), sse.close()]);
});

/** From what a person pastes to a server that agents may call. */
async function register(paste: string, slug: string, tool: string) {
  const [parsed] = parseServers(paste);
  const input = registerServerInput.parse({ ...parsed, slug });
  const probe = await perform(probeServer, tenant.ctx(), { endpoint: input.endpoint, credential: input.credential });
  expect(probe).toMatchObject({ ok: true, era: "legacy" });
  const view = await perform(registerServer, tenant.ctx(), input);
  await perform(enableServer, tenant.ctx(), { id: view.id });
  const { version } = await currentPermissionMap(tenant.tenantId);
  const changes = [{ server: slug, tool, permission: "remote:call" }];
  await perform(changePermissionMap, tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
  return view;
}

const call = (name: string, args: Record<string, unknown>) =>
  rpc(door.url, "tools/call", { name, arguments: args }, { key: agent.key });

describe("a server from a paste", () => {
  it.each([
    ["websocket", () => `{"mcpServers":{"x":{"type":"ws","url":"${socket.url}"}}}`, "test_simple_text", {}],
    ["sse", () => sse.url, "echo", { message: "over events" }],
  ] as const)("over %s is registered, called and recorded like any other", async (transport, paste, tool, args) => {
    const view = await register(paste(), transport, tool);
    expect(view).toMatchObject({ transport, address: transport === "sse" ? sse.url : socket.url });
    const { body } = await call(`${transport}__${tool}`, args);
    expect(body.result.isError).toBeUndefined();
    expect(body.result.content[0].text).toBeTypeOf("string");
    const listed = await rpc(door.url, "tools/list", {}, { key: agent.key });
    expect(listed.body.result.tools.map(({ name }: { name: string }) => name)).toContain(`${transport}__${tool}`);
    const mine = (await readTrail(tenant.tenantId)).filter(({ text }) => text.includes(agent.agentId));
    expect(mine.map(({ type }) => type)).toEqual(expect.arrayContaining(["tool_call.started", "tool_call.finished"]));
    expect((await readTrail(tenant.tenantId)).some(({ target }) => target === view.address)).toBe(true);
  });

  it("whose connection breaks is reached anew by the next call", async () => {
    expect(socket.sockets.size).toBeGreaterThan(0);
    for (const each of socket.sockets) each.terminate();
    const results = await Promise.all([1, 2, 3].map(() => call("websocket__test_simple_text", {})));
    // A call may meet the broken connection before it is known to be broken, but none after.
    expect(results.every(({ body }) => body.result !== undefined || body.error !== undefined)).toBe(true);
    const { body } = await call("websocket__test_simple_text", {});
    expect(body.result.isError).toBeUndefined();
  });
});
