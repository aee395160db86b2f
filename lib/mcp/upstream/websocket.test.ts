import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { WebSocket } from "ws";
import { isAppError } from "@/lib/core/errors";
import { voteOf } from "@/lib/mcp/upstream/faults";
import { openUpstream } from "@/lib/mcp/upstream/open-upstream";
import { makeUpstreamPolicy } from "@/lib/mcp/upstream/policy";
import { probeUpstream } from "@/lib/mcp/upstream/probe-upstream";
import type { Dialogue, Json, Upstream, UpstreamRequest } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";
import { type SocketUpstream, startSocketUpstream } from "@/lib/testing/websocket-upstream";

vi.setConfig({ testTimeout: 30_000 });

const policy = makeUpstreamPolicy({ allowLoopback: true });
const PATIENCE = { timeout: 20_000, interval: 20 };
const open: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

function connect(url: string, options: { credential?: Record<string, string>; capabilities?: Json } = {}): Upstream {
  const upstream = openUpstream({ transport: "websocket", url }, { deadlineMs: 20_000, policy, ...options });
  open.push(upstream);
  return upstream;
}

async function start(options: Parameters<typeof startSocketUpstream>[0] = {}): Promise<SocketUpstream> {
  const server = await startSocketUpstream(options);
  open.push(server);
  return server;
}

type Extra = { ms?: number; signal?: AbortSignal; dialogue?: Dialogue; onProgress?: UpstreamRequest["onProgress"] };

async function ask(
  upstream: Upstream,
  method: string,
  params: Json = {},
  { ms = 20_000, signal, ...rest }: Extra = {},
) {
  const deadline = startDeadline(ms, signal);
  try {
    return (await upstream.request({ method, params, deadline, ...rest })).result;
  } finally {
    deadline.release();
  }
}
const call = (upstream: Upstream, name: string, args: Json = {}, extra: Extra = {}) =>
  ask(upstream, "tools/call", { name, arguments: args }, extra);

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "ok",
    (cause: unknown) => (isAppError(cause) ? `${cause.code} ${voteOf(cause)}` : String(cause)),
  );

type Message = { id?: number; method?: string; params?: { name?: string; requestId?: number } };
const HELLO = { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "raw", version: "1" } };

/** A server that greets well, and does with everything else what the test wants. */
const raw = (onMessage: (message: Message, socket: WebSocket) => void) => (socket: WebSocket) => {
  socket.on("message", (data) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.method === "initialize") socket.send(JSON.stringify({ jsonrpc: "2.0", id: message.id, result: HELLO }));
    else onMessage(message, socket);
  });
};

/** A server that knows no `initialize`, and notes what it is asked. */
const stateless = (asked: Message[], sockets: WebSocket[]) => (socket: WebSocket) => {
  sockets.push(socket);
  socket.on("message", (data) => {
    const message = JSON.parse(String(data)) as Message;
    const { id, method } = message;
    asked.push(message);
    const say = (answer: object) => socket.send(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
    const result = { supportedVersions: ["2026-07-28"], capabilities: { tools: {} }, resultType: "complete" };
    if (method === "server/discover") say({ result });
    else if (method === "initialize") say({ error: { code: -32601, message: "Method not found" } });
  });
};

describe("what a server asks over WebSocket", () => {
  it("is put to nobody else while a call that was given up may be meant", async () => {
    const asked: number[] = [];
    const told: string[] = [];
    const say = (socket: WebSocket, message: object) => socket.send(JSON.stringify({ jsonrpc: "2.0", ...message }));
    const server = await start({
      serve: raw((message, socket) => {
        const { id, method, params } = message;
        if (method === undefined) told.push("error" in message ? "refused" : "answered");
        if (method === "tools/call" && id !== undefined) asked.push(id);
        if (params?.name === "asks")
          say(socket, { id: "q", method: "elicitation/create", params: { message: "Really?" } });
        if (params?.name !== "late") return;
        for (const each of asked) say(socket, { id: each, result: {} });
      }),
    });
    const upstream = connect(server.url);
    const heard: string[] = [];
    const by = (who: string, ms: number): Extra => ({
      ms,
      dialogue: { onRequest: async () => ({ action: heard.push(who) }) },
    });
    expect(await codeOf(call(upstream, "waits", {}, by("a", 300)))).toContain("upstream_timeout");
    expect(await codeOf(call(upstream, "asks", {}, by("b", 600)))).toContain("upstream_timeout");
    expect([heard, told]).toEqual([[], ["refused"]]);
    // Answered late, both of them: now only one can be meant.
    expect(await codeOf(call(upstream, "late"))).toBe("ok");
    void codeOf(call(upstream, "asks", {}, by("c", 2_000)));
    await expect.poll(() => told, PATIENCE).toEqual(["refused", "answered"]);
    expect(heard).toEqual(["c"]);
  });
});

describe("a server over WebSocket", () => {
  it("is probed, called, and heard, over one connection", async () => {
    const server = await start();
    const probe = await probeUpstream({ transport: "websocket", url: server.url }, undefined, { policy });
    expect(probe).toMatchObject({ ok: true, era: "legacy", protocolVersion: "2025-11-25" });
    expect(probe.tools.map(({ name }) => name)).toContain("test_simple_text");
    const upstream = connect(server.url);
    const heard: string[] = [];
    const listening = startDeadline(60_000);
    const filter = { toolsListChanged: true };
    void upstream.listen?.({ filter, deadline: listening, onNotice: ({ method }) => heard.push(method) });
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, each) => ask(upstream, "resources/read", { uri: `test://template/${each}/data` })),
    );
    for (const [each, result] of results.entries()) {
      expect(JSON.stringify(result)).toContain(`test://template/${each}/data`);
    }
    const progress: unknown[] = [];
    await call(upstream, "test_tool_with_progress", {}, { onProgress: (each) => progress.push(each) });
    expect(progress.length).toBeGreaterThan(1);
    await call(upstream, "test_trigger_tool_change");
    await expect.poll(() => heard, PATIENCE).toContain("notifications/tools/list_changed");
    expect(upstream.connections?.()).toMatchObject({ open: 1, created: 1 });
    listening.kill();
  });

  it("tells of resources that it is asked to tell of, in every connection", async () => {
    const server = await start();
    const upstream = connect(server.url);
    const heard: unknown[] = [];
    const filter = { resourceSubscriptions: ["test://none", "test://watched-resource"] };
    const listening = startDeadline(60_000);
    const listen = () =>
      upstream.listen?.({ filter, deadline: listening, onNotice: ({ params }) => heard.push(params["uri"]) });
    const touch = (uri: string) => call(upstream, "touch_resource", { uri });
    for (const turn of [1, 2]) {
      const heardOut = listen();
      await expect
        .poll(async () => {
          await touch("test://static-text");
          await touch("test://watched-resource");
          return heard.length;
        }, PATIENCE)
        .toBeGreaterThanOrEqual(turn);
      expect(new Set(heard)).toEqual(new Set(["test://watched-resource"]));
      heard.splice(0, Infinity, ...heard.slice(0, turn));
      for (const each of server.sockets) each.terminate();
      await heardOut;
    }
    listening.kill();
  });

  it("of the stateless era is asked to tell of what is wanted, for as long as it is", async () => {
    const asked: Message[] = [];
    const sockets: WebSocket[] = [];
    const server = await start({ serve: stateless(asked, sockets) });
    const upstream = connect(server.url);
    const [lists, resources]: [string[], unknown[]] = [[], []];
    const left = new AbortController();
    const both = [startDeadline(60_000), startDeadline(60_000, left.signal)] as const;
    const listening = [
      upstream.listen?.({
        filter: { toolsListChanged: true },
        deadline: both[0],
        onNotice: ({ method }) => lists.push(method),
      }),
      upstream.listen?.({
        filter: { resourceSubscriptions: ["test://a"] },
        deadline: both[1],
        onNotice: ({ params }) => resources.push(params["uri"]),
      }),
    ];
    const filters = () =>
      asked
        .filter(({ method }) => method === "subscriptions/listen")
        .map(({ params }) => (params as { notifications?: unknown } | undefined)?.notifications);
    await expect.poll(filters, PATIENCE).toEqual([{ toolsListChanged: true }, { resourceSubscriptions: ["test://a"] }]);
    const say = (method: string, params: object) =>
      sockets[0]?.send(JSON.stringify({ jsonrpc: "2.0", method, params }));
    say("notifications/prompts/list_changed", {});
    say("notifications/resources/updated", { uri: "test://b" });
    say("notifications/tools/list_changed", {});
    say("notifications/resources/updated", { uri: "test://a" });
    await expect.poll(() => resources, PATIENCE).toEqual(["test://a"]);
    expect(lists).toEqual(["notifications/tools/list_changed"]);
    left.abort();
    await listening[1];
    await expect.poll(() => asked.at(-1)?.method, PATIENCE).toBe("notifications/cancelled");
    sockets[0]?.terminate();
    expect(await codeOf(Promise.resolve(listening[0]))).toMatch(/^upstream_unreachable/);
  });

  it("asks the client behind the call", async () => {
    const server = await start();
    const upstream = connect(server.url, { capabilities: { elicitation: {}, sampling: {} } });
    const asked: string[] = [];
    const onRequest = async (method: string) => {
      asked.push(method);
      return { action: "accept", content: { said: "yes" } };
    };
    const result = await call(upstream, "test_elicitation", { message: "Sure?" }, { dialogue: { onRequest } });
    expect(asked).toEqual(["elicitation/create"]);
    expect(JSON.stringify(result)).toContain("accept");
  });

  it("gets the credential in the handshake, and none of the transport's own headers from it", async () => {
    const server = await start();
    const credential = {
      Authorization: "Bearer s3cret",
      "Sec-WebSocket-Protocol": "other",
      Upgrade: "x",
      Host: "evil",
    };
    await ask(connect(server.url, { credential }), "tools/list");
    const [headers] = server.handshakes;
    expect(headers?.authorization).toBe("Bearer s3cret");
    expect(headers?.["sec-websocket-protocol"]).toBe("mcp");
    expect(headers?.host).toMatch(/^127\.0\.0\.1:/);
  });

  it("hears that a caller gave up", async () => {
    const seen: Message[] = [];
    const server = await start({ serve: raw((message) => seen.push(message)) });
    const upstream = connect(server.url);
    const left = new AbortController();
    const work = codeOf(call(upstream, "any", {}, { signal: left.signal }));
    await expect.poll(() => seen.some(({ method }) => method === "tools/call"), PATIENCE).toBe(true);
    left.abort();
    expect(await work).toBe("cancelled abstain");
    await expect.poll(() => seen.some(({ method }) => method === "notifications/cancelled"), PATIENCE).toBe(true);
    const called = seen.find(({ method }) => method === "tools/call");
    expect(seen.find(({ method }) => method === "notifications/cancelled")?.params?.requestId).toBe(called?.id);
  });
});

describe("a server over WebSocket that misbehaves", () => {
  const answerText = (id: unknown) => JSON.stringify({ jsonrpc: "2.0", id, result: { content: [] } });
  const misbehaves = raw(({ id, params, method }, socket) => {
    if (method !== "tools/call") return;
    const does: Record<string, () => void> = {
      good: () => socket.send(answerText(id)),
      garbage: () => socket.send("{ not json"),
      array: () => socket.send("[1,2]"),
      binary: () => socket.send(Buffer.from(answerText(id))),
      close: () => socket.close(1000),
      reset: () => socket.terminate(),
      // Never complete, so that it is refused by what came of it.
      huge: () => {
        for (let each = 0; each < 11; each += 1) socket.send("x".repeat(1 << 20), { fin: false });
      },
      hang: () => undefined,
      strangers: () => {
        for (const wrong of [999_999, "abc", null, -1, {}]) socket.send(answerText(wrong));
        socket.send(answerText(id));
      },
    };
    does[params?.name ?? ""]?.();
  });

  it.each([
    ["garbage", "upstream_protocol failure"],
    ["array", "upstream_protocol failure"],
    ["binary", "upstream_protocol failure"],
    ["huge", "upstream_protocol failure"],
    ["close", "upstream_unreachable failure"],
    ["reset", "upstream_unreachable failure"],
    ["strangers", "ok"],
  ])("by %s ends the call with %s, and serves the next one", async (how, code) => {
    const server = await start({ serve: misbehaves });
    const upstream = connect(server.url);
    const waiting = how === "strangers" ? null : codeOf(call(upstream, "hang", {}));
    expect(await codeOf(call(upstream, how))).toBe(code);
    // What was in flight beside it cannot be answered any more.
    if (waiting !== null) expect(await waiting).toBe(code);
    expect(await codeOf(call(upstream, "good"))).toBe("ok");
  });

  it("by silence runs into the deadline, and is reached anew when it does not answer a ping", async () => {
    const server = await start({ serve: misbehaves });
    const upstream = connect(server.url);
    expect(await codeOf(call(upstream, "hang", {}, { ms: 200 }))).toBe("upstream_timeout failure");
    await expect.poll(() => upstream.connections?.().open, PATIENCE).toBe(0);
    expect(await codeOf(call(upstream, "good"))).toBe("ok");
    expect(upstream.connections?.().created).toBe(2);
  });

  it("by a flood of what nobody asked for is given up", async () => {
    const noise = `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"${"x".repeat(1 << 20)}"}}`;
    const floods = raw(({ method }, socket) => {
      if (method !== "tools/call") return;
      for (let each = 0; each < 12; each += 1) socket.send(noise);
    });
    const upstream = connect((await start({ serve: floods })).url);
    expect(await codeOf(call(upstream, "any"))).toBe("upstream_protocol failure");
  });

  it.each([
    [401, "upstream_error abstain"],
    [429, "upstream_error failure"],
    [503, "upstream_error failure"],
    [302, "upstream_protocol failure"],
    [200, "upstream_protocol failure"],
  ])("by answering the handshake with %d is refused as over HTTP", async (refuse, code) => {
    const server = await start({ refuse });
    expect(await codeOf(call(connect(server.url), "any"))).toBe(code);
  });

  it("by not being there, or not speaking HTTP, is told apart", async () => {
    const silent = createServer((socket) => socket.resume().end("SSH-2.0-nothing\r\n")).listen(0, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    const at = (port: number) => connect(`ws://127.0.0.1:${port}/`);
    const { port } = silent.address() as AddressInfo;
    expect(await codeOf(call(at(port), "any"))).toBe("upstream_protocol failure");
    await new Promise((resolve) => silent.close(resolve));
    expect(await codeOf(call(at(port), "any"))).toBe("upstream_unreachable failure");
  });
});

describe("the egress guard", () => {
  it("stands before every socket, whether its address is a number or a name", async () => {
    const server = await start();
    const { port } = new URL(server.url);
    const closed = makeUpstreamPolicy();
    const to = (url: string) => openUpstream({ transport: "websocket", url }, { deadlineMs: 5_000, policy: closed });
    for (const url of [server.url, "ws://[::1]:1/", "ws://169.254.169.254/"]) {
      expect(() => to(url)).toThrow(expect.objectContaining({ code: "egress_refused" }));
    }
    expect(() => to("http://example.com/")).toThrow(expect.objectContaining({ code: "egress_refused" }));
    const named = to(`ws://localhost:${port}/mcp`);
    expect(await codeOf(call(named, "any"))).toBe("egress_refused abstain");
    await named.close();
    expect(server.handshakes).toEqual([]);
  });
});
