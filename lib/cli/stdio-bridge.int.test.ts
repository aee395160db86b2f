import { PassThrough } from "node:stream";
import { afterAll, beforeAll, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { bridge } from "@/lib/cli/stdio-bridge";
import { boot, shutdown } from "@/lib/gateway/boot";
import { META, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
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

async function start(url = door.url) {
  const { key } = await world.agent("files:read");
  const [input, output] = [new PassThrough(), new PassThrough()];
  const lines: Record<string, unknown>[] = [];
  let rest = "";
  output.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString("utf8")).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.map((line) => JSON.parse(line)));
  });
  const done = bridge({ url, key, input, output });
  return {
    lines,
    send: (message: object) => input.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`),
    answerTo: (id: number) =>
      expect
        .poll(() => lines.find((line) => line["id"] === id), { timeout: 5_000 })
        .toBeDefined()
        .then(() => lines.find((line) => line["id"] === id)),
    end: async () => {
      input.end();
      await done;
    },
  };
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

it("answers for a door that is not there", async () => {
  const { send, answerTo, end } = await start("http://127.0.0.1:1/api/mcp");
  send({ id: 3, method: "ping" });
  expect(await answerTo(3)).toMatchObject({ error: { code: -32000 } });
  await end();
});
