import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { type EventStore, StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import { afterEach, expect, it, vi } from "vitest";
import { isAppError } from "@/lib/core/errors";
import { openUpstream } from "@/lib/mcp/upstream/open-upstream";
import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";
import type { Upstream } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";

const policy = makeUpstreamPolicy({ allowLoopback: true });
const closers: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const LARGE = "large ".repeat(100_000);
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** All events of all streams, in order. */
function makeEventStore(): EventStore {
  const events: { id: string; streamId: string; message: JSONRPCMessage }[] = [];
  return {
    async storeEvent(streamId, message) {
      const id = String(events.length + 1);
      events.push({ id, streamId, message });
      return id;
    },
    async replayEventsAfter(lastEventId, { send }) {
      const last = events[Number(lastEventId) - 1];
      if (last === undefined) throw new Error("no such event");
      // A priming event stands for no message.
      for (const { id, streamId, message } of events.slice(Number(lastEventId)))
        if (streamId === last.streamId && "jsonrpc" in message) await send(id, message);
      return last.streamId;
    },
  };
}

type Seen = { readonly method: string; readonly lastEventId: string | undefined };

/** A server on the official SDK that keeps its events, and ends or loses the stream of a call before it answers. */
async function startServer(retryInterval?: number) {
  const calls: string[] = [];
  const seen: Seen[] = [];
  const sockets = new Set<ServerResponse>();
  const transports = new Map<string, StreamableHTTPServerTransport>();

  function makeServer(): McpServer {
    const server = new McpServer({ name: "polls", version: "1" }, { capabilities: { logging: {} } });
    server.registerTool("work", {}, async (extra) => {
      calls.push("work");
      const progressToken = extra._meta?.progressToken;
      const tell = (progress: number) =>
        extra.sendNotification({
          method: "notifications/progress",
          params: { progressToken: progressToken ?? 0, progress },
        });
      await tell(1);
      extra.closeSSEStream?.();
      await pause(50);
      await tell(2);
      await pause(400);
      extra.closeSSEStream?.();
      await pause(200);
      return { content: [{ type: "text", text: "done" }] };
    });
    server.registerTool("breaks", {}, async (extra) => {
      calls.push("breaks");
      await extra.sendNotification({ method: "notifications/progress", params: { progressToken: 0, progress: 1 } });
      await pause(50);
      for (const response of sockets) response.socket?.resetAndDestroy();
      await pause(100);
      return { content: [{ type: "text", text: LARGE }] };
    });
    server.registerTool("never", {}, async (extra) => {
      calls.push("never");
      extra.closeSSEStream?.();
      await pause(60_000);
      return { content: [] };
    });
    return server;
  }

  async function transportFor(sessionId: string | undefined): Promise<StreamableHTTPServerTransport | undefined> {
    if (sessionId !== undefined) return transports.get(sessionId);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: makeEventStore(),
      ...(retryInterval === undefined ? {} : { retryInterval }),
      onsessioninitialized: (id) => void transports.set(id, transport),
    });
    await makeServer().connect(transport as Parameters<McpServer["connect"]>[0]);
    return transport;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    seen.push({ method: request.method ?? "", lastEventId: request.headers["last-event-id"] as string | undefined });
    const header = request.headers["mcp-session-id"];
    const transport = await transportFor(typeof header === "string" ? header : undefined);
    if (transport === undefined) return void response.writeHead(404).end();
    sockets.add(response);
    response.on("close", () => sockets.delete(response));
    await transport.handleRequest(request, response);
  }
  const http = createServer((request, response) => void serve(request, response));
  const url = await listen(http);
  return { url, calls, seen, rests: () => seen.filter(({ lastEventId }) => lastEventId !== undefined) };
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

function open(url: string): Upstream {
  const upstream = openUpstream({ transport: "http", url }, { deadlineMs: 5_000, policy });
  closers.push(() => upstream.close());
  return upstream;
}

async function call(upstream: Upstream, name: string, deadlineMs = 10_000) {
  const deadline = startDeadline(deadlineMs);
  const progress: number[] = [];
  const startedAt = performance.now();
  try {
    const onProgress = (each: { progress: number }) => void progress.push(each.progress);
    const params = { name, arguments: {} };
    const answer = await upstream
      .request({ method: "tools/call", params, deadline, onProgress, passesOn: true })
      .catch((cause: unknown) => (isAppError(cause) ? cause : Promise.reject(cause as Error)));
    return { answer, progress, tookMs: performance.now() - startedAt };
  } finally {
    deadline.release();
  }
}

it("takes up a stream as often as its server ends it, hears each event once, and calls once", async () => {
  const server = await startServer(100);
  const { answer, progress } = await call(open(server.url), "work");
  expect(answer).toMatchObject({ result: { content: [{ type: "text", text: "done" }] } });
  expect(progress).toEqual([1, 2]);
  expect(server.calls).toEqual(["work"]);
  expect(server.rests().length).toBeGreaterThanOrEqual(2);
  expect(server.rests().every(({ method }) => method === "GET")).toBe(true);
});

it("takes up a stream whose connection broke, also for a large answer", async () => {
  const server = await startServer();
  const { answer } = await call(open(server.url), "breaks");
  if (isAppError(answer)) throw answer;
  const text = Buffer.concat(answer.large?.pieces ?? []).toString("utf8");
  expect(text).toBe(`"content":[{"type":"text","text":"${LARGE}"}]`);
  expect(server.calls).toEqual(["breaks"]);
  expect(server.rests()).toHaveLength(1);
});

it("waits no longer than its deadline, however long a server wants to be left alone, and tells it", async () => {
  const server = await startServer(500_000_000);
  const upstream = open(server.url);
  const [set, cleared] = [vi.spyOn(globalThis, "setTimeout"), vi.spyOn(globalThis, "clearTimeout")];
  const { answer, tookMs } = await call(upstream, "never", 600);
  expect(answer).toMatchObject({ code: "upstream_timeout" });
  expect(tookMs).toBeLessThan(1_100);
  expect(server.rests()).toEqual([]);
  await expect.poll(() => server.seen.at(-1)?.method).toBe("POST");
  const long = set.mock.calls.findIndex(([, ms]) => ms === 500_000_000);
  expect(cleared).toHaveBeenCalledWith(set.mock.results[long]?.value);
  vi.restoreAllMocks();
});

/** A server that numbers its events, ends the stream of a call, and then does as it is told. */
async function startStubborn(onRest: (response: ServerResponse, nth: number) => void) {
  let [calls, rests] = [0, 0];
  const ids = new Set<unknown>();
  const server = createServer((request, response) => {
    if (request.method === "GET") {
      rests += 1;
      ids.add(request.headers["last-event-id"]);
      return onRest(response, rests);
    }
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    request.on("end", () => {
      const { id, method } = JSON.parse(text) as { id?: number; method: string };
      const json = (body: object) =>
        response
          .writeHead(200, { "content-type": "application/json" })
          .end(JSON.stringify({ jsonrpc: "2.0", id, ...body }));
      if (method === "initialize")
        return json({
          result: { protocolVersion: "2025-11-25", capabilities: {}, serverInfo: { name: "s", version: "1" } },
        });
      if (id === undefined) return response.writeHead(202).end();
      if (method !== "tools/call") return json({ error: { code: -32601, message: "no such method" } });
      calls += 1;
      response.writeHead(200, { "content-type": "text/event-stream" });
      return response.end("id: one\nretry: 0\ndata:\n\n");
    });
  });
  return { url: await listen(server), server, calls: () => calls, rests: () => rests, ids };
}

it.each([405, 400, 404, 500, 429, 302])(
  "fails once, and calls once, where going on is refused with %i",
  async (status) => {
    const server = await startStubborn((response) => void response.writeHead(status, { location: "/" }).end());
    const { answer } = await call(open(server.url), "any");
    expect(answer).toMatchObject({ code: "upstream_protocol", message: expect.stringContaining(`(${status})`) });
    expect([server.calls(), server.rests()]).toEqual([1, 1]);
  },
);

it("bears a server that is away for a moment, and none that stays away", async () => {
  const answered = await startStubborn((response, nth) => {
    if (nth < 4) return void response.socket?.resetAndDestroy();
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end('id: two\ndata: {"jsonrpc":"2.0","id":3,"result":{"content":[]}}\n\n');
  });
  const { answer } = await call(open(answered.url), "any");
  expect(answer).toMatchObject({ result: { content: [] } });
  const away = await startStubborn((response) => void response.socket?.resetAndDestroy());
  expect((await call(open(away.url), "any")).answer).toMatchObject({ code: "upstream_unreachable" });
  expect([away.calls(), away.rests()]).toEqual([1, 5]);
});

it("polls at most ten times a second, with the last id that it was given", async () => {
  const polled = await startStubborn((response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).end("id: \u00e4\ndata:\n\n");
  });
  const { answer } = await call(open(polled.url), "any", 1_000);
  expect(answer).toMatchObject({ code: "upstream_timeout" });
  expect(polled.rests()).toBeGreaterThan(3);
  // What may not stand in a header is no id.
  expect([...polled.ids]).toEqual(["one"]);
  expect(polled.rests()).toBeLessThanOrEqual(10);
});

it("counts what a server asks over all streams of a call: ending one is no way to ask without end", async () => {
  const ping = (nth: number) => `data: {"jsonrpc":"2.0","id":${nth},"method":"ping"}\n\n`;
  const asks = await startStubborn((response, nth) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(`${Array.from({ length: 150 }, (_, at) => ping(nth * 1_000 + at)).join("")}id: two\ndata:\n\n`);
  });
  const { answer } = await call(open(asks.url), "any", 4_000);
  expect(answer).toMatchObject({ code: "upstream_protocol" });
  expect(asks.rests()).toBe(2);
});
