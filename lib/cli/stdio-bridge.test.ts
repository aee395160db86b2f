import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, expect, it } from "vitest";
import { META, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";
import { type Answering, fakeDoor, messageOf, startBridge } from "@/lib/testing/bridge-client";

type Door = Awaited<ReturnType<typeof fakeDoor>>;
let doors: Door[] = [];
afterEach(async () => {
  await Promise.all(doors.map((door) => door.close()));
  doors = [];
});

async function openDoor(answer: Answering, port?: number): Promise<Door> {
  const door = await fakeDoor(answer, port);
  doors.push(door);
  return door;
}

const answerWith = (status: number, type: string, body: string) => (_: unknown, response: ServerResponse) =>
  void response.writeHead(status, { "content-type": type }).end(body);

const initialize = {
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "local", version: "1" } },
};

const refusal = { code: -32001, message: "The key is unknown.", data: { code: "unauthenticated" } };
const STREAM = "text/event-stream";
const NOTICE = '{"jsonrpc":"2.0","method":"notifications/message","params":{}}';

it.each([
  ["a refusal that knows no id", 401, "application/json", JSON.stringify({ jsonrpc: "2.0", id: null, error: refusal })],
  ["one in a stream", 200, STREAM, `data: ${JSON.stringify({ jsonrpc: "2.0", id: null, error: refusal })}\n\n`],
])("answers a request under its own id where the door sent %s", async (_, status, type, body) => {
  const door = await openDoor(answerWith(status, type, body));
  const { send, answerTo, lines, end } = startBridge(door.url);
  send({ id: 1, ...initialize });
  expect(await answerTo(1)).toEqual({ jsonrpc: "2.0", id: 1, error: refusal });
  await end();
  expect(lines).toHaveLength(1);
});

it.each([
  ["text", 404, "text/plain", "There is nothing here.\n"],
  ["a page", 502, "text/html", "<html>\nBad gateway</html>"],
  ["JSON of somebody else", 403, "application/json", '{"error":"forbidden"}'],
  ["half a message", 200, "application/json", '{"jsonrpc":"2.0","id":1,"result":{'],
  ["the answer to another request", 200, "application/json", '{"jsonrpc":"2.0","id":2,"result":{}}'],
  ["nothing", 202, "application/json", ""],
  ["a stream that ends early", 200, STREAM, "data: <html>\n\n"],
])("writes nothing but an error under the request's id where the door sent %s", async (_, status, type, body) => {
  const door = await openDoor(answerWith(status, type, body));
  const { send, answerTo, lines, end } = startBridge(door.url);
  send({ id: 1, method: "tools/list" });
  expect(await answerTo(1)).toMatchObject({ error: { code: -32000, message: expect.stringContaining(`${status}`) } });
  await end();
  expect(lines).toHaveLength(1);
});

it("passes on what comes before the answer, and answers once when the stream breaks behind it", async () => {
  const door = await openDoor((_, response) => {
    response.writeHead(200, { "content-type": STREAM });
    response.write(`data: ${NOTICE}\n\ndata: {"jsonrpc":"2.0",\ndata: "id":1,"result":{}}\n\n`);
    setTimeout(() => response.destroy(), 50);
  });
  const { send, answerTo, lines, end } = startBridge(door.url);
  send({ id: 1, method: "tools/list" });
  expect(await answerTo(1)).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
  await end();
  expect(lines.map(({ method }) => method)).toEqual(["notifications/message", undefined]);
});

it("says nothing to what wants no answer, whatever comes back", async () => {
  const door = await openDoor(
    answerWith(401, "application/json", JSON.stringify({ jsonrpc: "2.0", id: null, error: refusal })),
  );
  const { send, lines, end } = startBridge(door.url);
  send({ method: "notifications/initialized" });
  send({ id: 9, result: {} });
  await end();
  expect(lines).toEqual([]);
});

it.each([
  ["names the reason for a door that is not there", "http://", "cs_test", /^The door .* \(ECONNREFUSED\)\.$/],
  ["does not repeat a key that no header can carry", "http://", "cs_a\ncs_hidden", /^The door [^_]*$/],
  ["does not repeat an address with a password", "http://me:cs_hidden@", "cs_test", /^The door [^_]*$/],
])("%s", async (_, scheme, key, message) => {
  const gone = await openDoor(() => undefined);
  await gone.close();
  const { send, answerTo, end } = startBridge(gone.url.replace("http://", scheme), key);
  send({ id: 3, method: "ping" });
  expect(await answerTo(3)).toMatchObject({ error: { code: -32000, message: expect.stringMatching(message) } });
  await end();
});

it("carries nothing to where the door sends it on to", async () => {
  const heard: unknown[] = [];
  const other = await openDoor((request, response) => {
    heard.push(request.url);
    response.end();
  });
  const door = await openDoor((_, response) => response.writeHead(308, { location: other.url }).end());
  const { send, answerTo, end } = startBridge(door.url);
  send({ id: 1, method: "tools/call", params: { name: "a" } });
  expect(await answerTo(1)).toMatchObject({ error: { message: expect.stringContaining("308") } });
  await end();
  expect(heard).toEqual([]);
});

const STATELESS = { _meta: { [META.protocolVersion]: MODERN_VERSION, [META.clientCapabilities]: {} } };

it.each([
  ["leaves a stateless request that is cancelled by a word without _meta", STATELESS, {}, true],
  ["leaves a stateless request that is cancelled by a word with _meta", STATELESS, STATELESS, true],
  ["stays with a request of a session, which the door cancels itself", {}, {}, false],
])("%s", async (_, asked, told, leaves) => {
  const [calls, notices]: [ServerResponse[], unknown[]] = [[], []];
  const door = await openDoor(async (request, response) => {
    const { method } = await messageOf(request);
    if (method === "tools/call") return void calls.push(response);
    notices.push(method);
    response.writeHead(202).end();
  });
  const { send, lines, end } = startBridge(door.url);
  send({ id: 1, method: "tools/call", params: { name: "a", ...asked } });
  await expect.poll(() => calls.length).toBe(1);
  send({ method: "notifications/cancelled", params: { requestId: 1, ...told } });
  await expect.poll(() => notices).toEqual(["notifications/cancelled"]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(calls[0]?.destroyed).toBe(leaves);
  calls[0]?.end();
  await end();
  expect(lines).toHaveLength(leaves ? 0 : 1);
});

/** A door with sessions, whose stream behind GET does what the test says. */
const sessionDoor = (onGet: Answering, port?: number) =>
  openDoor(async (request, response) => {
    const { id, method } = await messageOf(request);
    if (request.method === "GET") return void onGet(request, response);
    if (method !== "initialize") return void response.writeHead(request.method === "DELETE" ? 200 : 202).end();
    response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "a" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: { protocolVersion: "2025-11-25" } }));
  }, port);

async function startSession(url: string) {
  const client = startBridge(url);
  client.send({ id: 1, ...initialize });
  await client.answerTo(1);
  client.send({ method: "notifications/initialized" });
  return client;
}

it("opens the stream of its session again, however it was lost", async () => {
  let opened = 0;
  const listen = (request: IncomingMessage, response: ServerResponse) => {
    opened += 1;
    expect(request.headers["mcp-session-id"]).toBe("a");
    if (opened === 2) return void response.writeHead(503).end();
    response.writeHead(200, { "content-type": STREAM }).write(`data: ${NOTICE}\n\n`);
    if (opened === 1) response.destroy();
  };
  const door = await sessionDoor(listen);
  const { lines, end } = await startSession(door.url);
  const notices = () => lines.filter(({ method }) => method !== undefined).length;
  await expect.poll(() => opened, { timeout: 8_000 }).toBe(3);
  await door.close();
  // Tries once in vain.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await sessionDoor(listen, door.port);
  await expect.poll(() => opened, { timeout: 8_000 }).toBe(4);
  await expect.poll(notices).toBeGreaterThanOrEqual(2);
  await end();
}, 20_000);

it("lets the stream of its session be where it is refused for good, and opens the one of the next session", async () => {
  const opened = [0, 0, 0];
  const refuse = (status: number, at: number) =>
    sessionDoor((_, response) => {
      opened[at] = (opened[at] ?? 0) + 1;
      response.writeHead(status).end();
    });
  const refusing = await Promise.all([401, 404, 405].map(refuse));
  const clients = await Promise.all(refusing.map(({ url }) => startSession(url)));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(opened).toEqual([1, 1, 1]);
  for (const { send, answerTo } of clients) {
    send({ id: 2, ...initialize });
    await answerTo(2);
    send({ method: "notifications/initialized" });
  }
  await expect.poll(() => opened).toEqual([2, 2, 2]);
  await Promise.all(clients.map(({ end }) => end()));
});

it.each(["subscriptions/listen", "tools/call", "initialize"])(
  "leaves soon after its client, though %s is not answered",
  async (method) => {
    const held: ServerResponse[] = [];
    const door = await openDoor((_, response) => {
      held.push(response);
      if (method === "subscriptions/listen")
        response.writeHead(200, { "content-type": STREAM }).write(`data: ${NOTICE}\n\n`);
    });
    const { send, lines, end } = startBridge(door.url);
    send({ id: 1, method });
    send({ id: 2, method });
    await expect.poll(() => held.length).toBeGreaterThanOrEqual(1);
    const from = performance.now();
    await end();
    expect(performance.now() - from).toBeLessThan(2_000);
    await expect.poll(() => held.every(({ destroyed }) => destroyed)).toBe(true);
    expect(lines.every((line) => line["method"] === "notifications/message")).toBe(true);
  },
);

it("still writes what is answered soon after the end of its input, and waits no longer than for that", async () => {
  const door = await openDoor((_, response) => {
    const answer = '{"jsonrpc":"2.0","id":1,"result":{}}';
    setTimeout(() => response.writeHead(200, { "content-type": "application/json" }).end(answer), 300);
  });
  const { send, lines, end } = startBridge(door.url);
  send({ id: 1, method: "tools/call" });
  const from = performance.now();
  await end();
  expect(lines).toEqual([{ jsonrpc: "2.0", id: 1, result: {} }]);
  expect(performance.now() - from).toBeLessThan(900);
});

const echoing = () =>
  openDoor(async (request, response) => {
    const { id, params } = await messageOf(request);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: params }));
  });

it("ends a line at its line feed only, wherever its pieces are cut", async () => {
  const { input, answerTo, end } = startBridge((await echoing()).url);
  const params = { text: "a\u2028b\u2029ü" };
  const line = Buffer.from(`{"jsonrpc":"2.0","id":1,\r"method":"echo","params":${JSON.stringify(params)}}\r\n`);
  for (const byte of line) {
    input.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  expect(await answerTo(1)).toMatchObject({ result: params });
  // The last line of an input may lack its end.
  input.write('{"jsonrpc":"2.0","id":2,"method":"echo"}');
  input.end();
  await answerTo(2);
  await end();
});

it("answers every request of a batch, and goes on after a line that is no message", async () => {
  const { input, answerTo, lines, end } = startBridge((await echoing()).url);
  const request = (id: number) => JSON.stringify({ jsonrpc: "2.0", id, method: "echo", params: {} });
  input.write(`\n{ not json\n7\n[${request(1)},8,${request(2)}]\n${request(3)}\n`);
  for (const id of [1, 2, 3]) expect(await answerTo(id)).toMatchObject({ result: {} });
  await end();
  expect(lines).toHaveLength(3);
});

it("leaves a client that does not read its output any more", async () => {
  const left: unknown[] = [];
  const door = await openDoor(async (request, response) => {
    if (request.method === "DELETE") left.push(request.headers["mcp-session-id"]);
    const { id } = await messageOf(request);
    response.writeHead(200, { "content-type": "application/json", "mcp-session-id": "a" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: {} }));
  });
  const { send, answerTo, output, done } = startBridge(door.url);
  send({ id: 1, ...initialize });
  await answerTo(1);
  output.destroy(new Error("EPIPE"));
  await done;
  expect(left).toEqual(["a"]);
});
