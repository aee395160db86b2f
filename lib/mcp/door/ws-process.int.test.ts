import { connect } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { META, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";
import { bundleServer, freePort, gone, startDoor } from "@/lib/testing/door-processes";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { openRawSocket } from "@/lib/testing/raw-socket";

const PATIENCE = { timeout: 30_000, interval: 50 };
const _meta = { [META.protocolVersion]: MODERN_VERSION, [META.clientCapabilities]: {} };

let world: World;
let bundle: Awaited<ReturnType<typeof bundleServer>>;
let child: Awaited<ReturnType<typeof startDoor>>;
let port: number;
beforeAll(async () => {
  world = await createWorld({
    late: { tools: ["wait"], map: { wait: "late:wait" }, slowMs: 2_000, deadlineMs: 60_000 },
  });
  world.upstreams.get("late")?.setFault("slow");
  bundle = await bundleServer();
  port = await freePort();
  child = await startDoor(bundle.entry, port, { env: { EGRESS_ALLOW: "127.0.0.0/8" } });
});
afterAll(async () => {
  child.kill("SIGKILL");
  await gone(child);
  bundle.remove();
  await world.close();
});

/** Everything that a connection answers to some bytes until it is closed. */
const exchange = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("end", () => resolve(text)).on("error", reject);
  });

it("a request that offers HTTP/2 is served as the plain one that it is, with its body", async () => {
  const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const head = [
    "POST /api/mcp HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
    "Content-Type: application/json",
    `Authorization: Bearer ${(await world.agent()).key}`,
    `Content-Length: ${body.length}`,
  ];
  // A second request on the same connection, which then is closed.
  const second = ["GET /api/mcp/errors.md HTTP/1.1", `Host: 127.0.0.1:${port}`, "Connection: close"];
  const text = await exchange(`${head.join("\r\n")}\r\n\r\n${body}${second.join("\r\n")}\r\n\r\n`);
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect(text).toContain('{"jsonrpc":"2.0","id":1,"result":{}}');
  expect(text).toContain("# What the agents' door answers when it refuses");
});

it("what else the connection header says still holds", async () => {
  const head = [
    "GET /api/mcp/errors.md HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade, close, HTTP2-Settings",
    "Upgrade: h2c",
  ];
  // Resolves only because the connection is closed after the answer.
  const text = await exchange(`${head.join("\r\n")}\r\n\r\n`);
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect(text.toLowerCase()).toContain("connection: close");
});

it("a process that is told to stop answers what its sockets asked, closes them with 1001 and ends well", async () => {
  const { key } = await world.agent("late:wait");
  const headers = { authorization: `Bearer ${key}` };
  const socket = await openRawSocket(`http://127.0.0.1:${port}/api/mcp/ws`, { headers });
  const calls = () => world.upstreams.get("late")?.requests.filter(({ method }) => method === "tools/call").length;
  const answer = socket.ask("tools/call", { name: "late__wait", arguments: {}, _meta });
  await expect.poll(calls, PATIENCE).toBe(1);
  child.kill("SIGTERM");
  expect((await answer).result.content).toBeDefined();
  expect(await socket.closed).toBe(1001);
  await gone(child);
  expect(child.exitCode).toBe(0);
});
