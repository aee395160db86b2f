import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { boot, shutdown } from "@/lib/gateway/boot";
import { changeAgentLimit } from "@/lib/limits/change-limits";
import { serveDoor } from "@/lib/mcp/door/node-mount";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { type ConformanceUpstream, startConformanceUpstream } from "@/lib/testing/conformance-upstream";
import { createWorld, type Mount, openDoor, type World } from "@/lib/testing/gateway-world";
import { readTrail } from "@/lib/testing/read-trail";

const BATCHES = "2025-03-26";
/** A request, a notification, an answer, or what is none of them. */
type Message = unknown;
type Options = { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal };

let world: World;
let asking: ConformanceUpstream;
let door: Awaited<ReturnType<typeof openDoor>>;
let gate: { readonly opened: Promise<void>; readonly open: () => void };

function closeGate(): void {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  gate = { opened, open };
}

beforeAll(async () => {
  await boot();
  world = await createWorld({
    files: { tools: ["read"], map: { read: "files:read" }, deadlineMs: 20_000 },
    vault: { tools: ["open"], map: { open: "vault:open" } },
    steps: { tools: ["walk"], map: { walk: "steps:walk" }, progress: 3, deadlineMs: 20_000 },
    gated: { tools: ["wait"], map: { wait: "gated:wait" }, slowUntil: () => gate.opened, deadlineMs: 60_000 },
  });
  world.upstreams.get("gated")?.setFault("slow");
  asking = await startConformanceUpstream("legacy");
  const endpoint = { transport: "http", url: asking.url } as const;
  const { id } = await perform(registerServer, world.tenant.ctx(), { slug: "asking", name: "asking", endpoint });
  await perform(enableServer, world.tenant.ctx(), { id });
  const { version: baseVersion } = await currentPermissionMap(world.tenant.tenantId);
  const changes = [{ server: "asking", tool: "test_elicitation", permission: "asking:use" }];
  await perform(changePermissionMap, world.tenant.ctx(), { baseVersion, changes, reason: "for the test" });
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await asking.close();
  await world.close();
  await shutdown();
});

const post = (key: string, body: unknown, { headers = {}, signal }: Options = {}, url = door.url) =>
  fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      authorization: `Bearer ${key}`,
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });

const request = (id: unknown, method: string, params: object = {}) => ({ jsonrpc: "2.0", id, method, params });
const call = (id: unknown, name: string, args: object = {}, _meta?: object) =>
  request(id, "tools/call", { name, arguments: args, ...(_meta === undefined ? {} : { _meta }) });
const notification = (method: string, params: object = {}) => ({ jsonrpc: "2.0", method, params });

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
type Reply = { readonly status: number; readonly type: string | null; readonly body: any };

async function send(key: string, messages: readonly Message[], options: Options = {}, url = door.url): Promise<Reply> {
  const { status, headers, ...rest } = await post(key, messages, options, url).then(async (response) => ({
    status: response.status,
    headers: response.headers,
    text: await response.text(),
  }));
  const type = headers.get("content-type");
  if (rest.text === "") return { status, type, body: null };
  return { status, type, body: type === "text/event-stream" ? eventsIn(rest.text) : JSON.parse(rest.text) };
}

const eventsIn = (text: string) => [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ""));

async function greet(key: string, protocolVersion = BATCHES, capabilities: object = {}): Promise<string> {
  const hello = { protocolVersion, capabilities, clientInfo: { name: "batches", version: "1" } };
  const response = await post(key, request("hello", "initialize", hello));
  expect((await response.json()).result.protocolVersion).toBe(protocolVersion);
  return response.headers.get("mcp-session-id") ?? "";
}

const within = (session: string) => ({ headers: { "mcp-session-id": session } });
const reached = (slug: string) =>
  world.upstreams.get(slug)?.requests.filter(({ method }) => method === "tools/call").length ?? 0;
const entriesOf = async (agentId: string, type: string) =>
  (await readTrail(world.tenant.tenantId)).filter((each) => each.type === type && each.text.includes(agentId));

describe.each<Mount>(["node", "web"])("a batch, mounted by %s", (mount) => {
  let own: Awaited<ReturnType<typeof openDoor>>;
  beforeAll(async () => {
    own = await openDoor(mount);
  });
  afterAll(() => own.close());

  it("is answered by an array, and each of its messages walks the road alone", async () => {
    const { key, agentId } = await world.agent("files:read");
    const before = [reached("files"), reached("vault")];
    const messages = [
      request(1, "tools/list"),
      call("two", "files__read", { path: "/a" }),
      call(3, "vault__open"),
      notification("notifications/roots/list_changed"),
      call(4, "files__read", { path: "/b" }),
      request(5, "no/such"),
      { jsonrpc: "2.0", id: 6, method: "tools/call", params: [] },
      7,
    ];
    const { status, type, body } = await send(key, messages, {}, own.url);
    expect([status, type]).toEqual([200, "application/json"]);
    expect(body.map(({ id }: { id: unknown }) => id)).toEqual([1, "two", 3, 4, 5, 6, null]);
    const [listed, two, denied, four, unknown, badParams, noMessage] = body;
    expect(listed.result.tools.map(({ name }: { name: string }) => name)).toEqual(["files__read"]);
    expect([two.result.content[0].text, four.result.content[0].text]).toEqual(['{"path":"/a"}', '{"path":"/b"}']);
    expect(denied.result).toMatchObject({ isError: true });
    expect(denied.result._meta["dev.countersign/error"].code).toBe("permission_denied");
    expect([unknown, badParams, noMessage].map(({ error }) => error.code)).toEqual([-32601, -32602, -32600]);
    const entries = body.map(
      ({ result, error }: Reply["body"]) => error?.data.entry ?? result._meta["dev.countersign/entry"],
    );
    expect(entries.every((entry: unknown) => typeof entry === "string")).toBe(true);
    expect([reached("files"), reached("vault")]).toEqual([(before[0] ?? 0) + 2, before[1]]);
    const finished = await entriesOf(agentId, "tool_call.finished");
    expect(await entriesOf(agentId, "tool_call.started")).toHaveLength(2);
    expect(finished).toHaveLength(2);
    const sizes = finished.map(({ text }) => /"bytes_in":(\d+)/.exec(text)?.[1]);
    expect(sizes.every((size) => Number(size) < 200)).toBe(true);
    expect(await entriesOf(agentId, "tool_call.denied")).toHaveLength(1);
  });

  it("is of the one server whose door it came to", async () => {
    const { key } = await world.agent("files:read", "vault:open");
    const messages = [request(1, "tools/list"), call(2, "read"), call(3, "open"), call(4, "vault__open")];
    const { body } = await send(key, messages, {}, `${own.url}/files`);
    expect(body[0].result.tools.map(({ name }: { name: string }) => name)).toEqual(["read"]);
    expect(body.map(({ result }: Reply["body"]) => result.isError === true)).toEqual([false, false, true, true]);
  });

  it("becomes a stream when a call has something to tell, with every answer an event of its own", async () => {
    const { key } = await world.agent("files:read", "steps:walk");
    const messages = [
      call(1, "steps__walk", {}, { progressToken: "p1" }),
      call(2, "files__read"),
      call(3, "steps__walk", {}, { progressToken: "p3" }),
    ];
    const { status, type, body } = await send(key, messages, {}, own.url);
    expect([status, type]).toEqual([200, "text/event-stream"]);
    const answers = body.filter((each: Reply["body"]) => each.result !== undefined);
    expect(answers.map(({ id }: { id: unknown }) => id).sort()).toEqual([1, 2, 3]);
    for (const token of ["p1", "p3"]) {
      const told = body.filter((each: Reply["body"]) => each.params?.progressToken === token);
      expect(told.map(({ params }: Reply["body"]) => params.progress)).toEqual([1, 2, 3]);
    }
    const plain = await send(key, messages, { headers: { accept: "application/json" } }, own.url);
    expect([plain.type, plain.body.map(({ id }: { id: unknown }) => id)]).toEqual(["application/json", [1, 2, 3]]);
    const first = { headers: { accept: "text/event-stream, application/json" } };
    const stream = await send(key, [request(1, "ping"), request(2, "no/such")], first, own.url);
    expect(stream.type).toBe("text/event-stream");
    expect(stream.body.map(({ id }: { id: unknown }) => id).sort()).toEqual([1, 2]);
  });
});

describe("a batch that asks for nothing", () => {
  it("is accepted with 202", async () => {
    const { key } = await world.agent("files:read");
    const session = await greet(key);
    const quiet = [notification("notifications/initialized"), notification("notifications/roots/list_changed")];
    expect(await send(key, quiet, within(session))).toMatchObject({ status: 202, body: null });
    const answer = { jsonrpc: "2.0", id: "of-somebody-else", result: {} };
    expect(await send(key, [answer, answer], within(session))).toMatchObject({ status: 202, body: null });
  });

  it("is refused with an error and a status where one of it cannot be taken", async () => {
    const { key } = await world.agent("files:read");
    const answer = { jsonrpc: "2.0", id: "cs-never-asked", result: {} };
    const refused = await send(key, [notification("notifications/initialized"), answer]);
    expect([refused.status, refused.body.length]).toEqual([400, 1]);
    expect(refused.body[0]).toMatchObject({ id: null, error: { data: { code: "invalid_input" } } });
    const none = await send(key, [1, "two", [request(1, "ping")]]);
    expect([none.status, none.body.map(({ error }: Reply["body"]) => error.code)]).toEqual([
      400,
      [-32600, -32600, -32600],
    ]);
  });
});

describe("the revision", () => {
  const PING = [request(1, "ping")];
  const refusal = { status: 400, body: { id: null, error: { code: -32600, data: { supported: [BATCHES] } } } };

  it("that a header names decides, and none means 2025-03-26", async () => {
    const { key } = await world.agent("files:read");
    for (const headers of [{}, { "mcp-protocol-version": BATCHES }])
      expect((await send(key, PING, { headers })).body).toMatchObject([{ id: 1, result: {} }]);
    for (const version of ["2026-07-28", "2025-11-25", "2025-06-18", "2024-11-05", "x"]) {
      const reply = await send(key, PING, { headers: { "mcp-protocol-version": version } });
      expect(reply).toMatchObject(refusal);
      expect(reply.body.error.message).toContain(`revision ${BATCHES} only, not of ${version}`);
    }
  });

  it("that was agreed on decides in a session", async () => {
    const { key } = await world.agent("files:read");
    const [old, newer] = [await greet(key), await greet(key, "2025-06-18")];
    const stated = { "mcp-protocol-version": BATCHES };
    expect(await send(key, PING, within(old))).toMatchObject({ status: 200 });
    expect(await send(key, PING, { headers: { ...within(old).headers, ...stated } })).toMatchObject({ status: 200 });
    expect(await send(key, PING, within(newer))).toMatchObject(refusal);
    expect(await send(key, PING, { headers: { ...within(newer).headers, ...stated } })).toMatchObject(refusal);
    const other = { headers: { ...within(old).headers, "mcp-protocol-version": "2025-11-25" } };
    expect(await send(key, PING, other)).toMatchObject(refusal);
    const forged = newer.replace(/\.([a-z]*)\./, ".$1B.");
    expect(await send(key, PING, within(forged))).toMatchObject({ status: 404, body: { id: null } });
    const end = { method: "DELETE", headers: { authorization: `Bearer ${key}`, ...within(old).headers } };
    expect((await fetch(door.url, end)).status).toBe(204);
    expect(await send(key, PING, within(old))).toMatchObject({ status: 404, body: { id: null } });
  });

  it("is still agreed on alone: initialize is no part of a batch", async () => {
    const { key } = await world.agent("files:read");
    const hello = { protocolVersion: BATCHES, capabilities: {}, clientInfo: { name: "t", version: "1" } };
    const { status, body } = await send(key, [request(1, "initialize", hello), request(2, "ping")]);
    expect([status, body[1]]).toEqual([200, { jsonrpc: "2.0", id: 2, result: {} }]);
    expect(body[0]).toMatchObject({ id: 1, error: { code: -32600, data: { entry: expect.any(String) } } });
    expect(body[0].error.message).toContain("initialize");
  });
});

describe("the bounds", () => {
  it("are 1 to 50 messages, and those of one message for all of them together", async () => {
    const { key } = await world.agent("files:read");
    const pings = Array.from({ length: 51 }, (_, id) => request(id, "ping"));
    for (const messages of [[], pings]) {
      const { status, body } = await send(key, messages);
      expect([status, body.error.code, body.error.data.issues[0].rule]).toEqual([
        400,
        -32600,
        "must hold 1 to 50 messages",
      ]);
    }
    const all = await send(key, pings.slice(1));
    expect([all.status, all.body.length]).toEqual([200, 50]);
    const before = reached("files");
    const many = (count: number) => ({ many: Array.from({ length: count }, () => 1) });
    const [some, whole] = [call(1, "files__read", many(60_000)), call(2, "files__read", { text: "x".repeat(3 << 20) })];
    expect((await send(key, [some, { ...some, id: 2 }])).body.error).toMatchObject({ code: -32700 });
    expect((await send(key, [whole, { ...whole, id: 3 }])).status).toBe(413);
    expect(reached("files")).toBe(before);
    expect((await (await post(key, '[{"jsonrpc":"2.0"')).json()).error.code).toBe(-32700);
  });

  it("are those of the agent for every call of it", async () => {
    const { key, agentId } = await world.agent("files:read");
    await perform(changeAgentLimit, world.tenant.ctx(), { id: agentId, perSecond: 1, reason: "for the test" });
    const { body } = await send(
      key,
      [1, 2, 3].map((id) => call(id, "files__read")),
    );
    const codes = body.map(({ result }: Reply["body"]) => result._meta["dev.countersign/error"]?.code ?? "ok");
    expect(codes.sort()).toEqual(["ok", "rate_limited", "rate_limited"]);
  });

  it("let no two requests have one id, and the others are served", async () => {
    const { key } = await world.agent("files:read");
    const before = reached("files");
    const messages = [call(1, "files__read"), call("1", "files__read"), call(1, "files__read"), request(2, "ping")];
    const { status, body } = await send(key, messages);
    expect([status, body.map(({ id }: { id: unknown }) => id)]).toEqual([200, [1, "1", 1, 2]]);
    for (const at of [0, 2]) {
      expect(body[at].error).toMatchObject({ code: -32600, data: { entry: expect.any(String) } });
      expect(body[at].error.message).toContain("this id");
    }
    expect(body[1].result.isError).toBeUndefined();
    expect(reached("files")).toBe(before + 1);
  });

  it("are eight requests at the same time", async () => {
    const { key } = await world.agent("gated:wait");
    closeGate();
    const before = reached("gated");
    const work = send(
      key,
      Array.from({ length: 12 }, (_, id) => call(id, "gated__wait")),
    );
    await expect.poll(() => reached("gated"), { timeout: 20_000 }).toBe(before + 8);
    gate.open();
    const { body } = await work;
    expect(body.map(({ id }: { id: unknown }) => id)).toEqual(Array.from({ length: 12 }, (_, id) => id));
    expect(reached("gated")).toBe(before + 12);
  });
});

describe("a request of a batch", () => {
  it("can be cancelled while it runs, while it waits for its turn, and beside it", async () => {
    const { key } = await world.agent("gated:wait", "files:read");
    const session = await greet(key);
    closeGate();
    const [before, read] = [reached("gated"), reached("files")];
    const cancel = (requestId: unknown) => notification("notifications/cancelled", { requestId });
    const calls = Array.from({ length: 8 }, (_, id) => call(id, "gated__wait"));
    const messages = [call("beside", "files__read"), ...calls, call("late", "files__read"), cancel("beside")];
    const work = send(key, messages, within(session));
    await expect.poll(() => reached("gated"), { timeout: 20_000 }).toBe(before + 8);
    expect((await post(key, cancel("late"), within(session))).status).toBe(202);
    expect((await send(key, [cancel(0)], within(session))).status).toBe(202);
    await expect.poll(() => world.upstreams.get("gated")?.left(), { timeout: 20_000 }).toBeGreaterThan(0);
    gate.open();
    const { body } = await work;
    const codes = Object.fromEntries(
      body.map(({ id, result, error }: Reply["body"]) => [
        id,
        error?.data.code ?? result._meta["dev.countersign/error"]?.code ?? "ok",
      ]),
    );
    expect(codes).toMatchObject({ beside: "cancelled", 0: "cancelled", 7: "ok", late: "cancelled" });
    expect(reached("files")).toBe(read);
  });

  it("is not begun any more when its client has left, and what runs goes on as it does alone", async () => {
    const { key, agentId } = await world.agent("gated:wait", "files:read");
    closeGate();
    const [before, read] = [reached("gated"), reached("files")];
    let isHeard = false;
    const server = createServer((asked, response) => {
      response.on("close", () => {
        isHeard = true;
      });
      void serveDoor(asked, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/mcp`;
    const left = new AbortController();
    const calls = Array.from({ length: 8 }, (_, id) => call(id, "gated__wait"));
    const work = send(key, [...calls, call("late", "files__read")], { signal: left.signal }, url);
    await expect.poll(() => reached("gated"), { timeout: 20_000 }).toBe(before + 8);
    left.abort();
    await expect(work).rejects.toThrow();
    await expect.poll(() => isHeard, { timeout: 20_000 }).toBe(true);
    gate.open();
    const ended = async () => (await entriesOf(agentId, "tool_call.finished")).length;
    await expect.poll(ended, { timeout: 20_000 }).toBe(8);
    expect(reached("files")).toBe(read);
    expect(await entriesOf(agentId, "tool_call.started")).toHaveLength(8);
    server.close();
  });

  it("ends with its session, begun or not", async () => {
    const { key } = await world.agent("gated:wait");
    const session = await greet(key);
    closeGate();
    const before = reached("gated");
    const work = send(
      key,
      Array.from({ length: 10 }, (_, id) => call(id, "gated__wait")),
      within(session),
    );
    await expect.poll(() => reached("gated"), { timeout: 20_000 }).toBe(before + 8);
    const end = { method: "DELETE", headers: { authorization: `Bearer ${key}`, ...within(session).headers } };
    expect((await fetch(door.url, end)).status).toBe(204);
    const { body } = await work;
    expect(body.map(({ error }: Reply["body"]) => error.data.code)).toEqual(
      Array.from({ length: 10 }, () => "cancelled"),
    );
    expect(reached("gated")).toBe(before + 8);
    gate.open();
  });

  it("has its client asked on the batch's stream, and hears the answers in a batch", async () => {
    const { key } = await world.agent("asking:use", "files:read");
    const session = await greet(key, BATCHES, { elicitation: {} });
    const asks = [1, 2].map((id) => call(id, "asking__test_elicitation", { message: `Sure ${id}?` }));
    const response = await post(key, [...asks, call(3, "files__read")], within(session));
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const heard: Reply["body"][] = [];
    const decoder = new TextDecoder();
    let [text, isAnswered] = ["", false];
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      heard.splice(0, heard.length, ...eventsIn(text.slice(0, text.lastIndexOf("\n\n"))));
      const questions = heard.filter(({ method }) => method === "elicitation/create");
      if (isAnswered || questions.length < 2) continue;
      isAnswered = true;
      const result = { action: "accept", content: { username: "u", email: "e@example.org" } };
      const answers = questions.map(({ id }) => ({ jsonrpc: "2.0", id, result }));
      expect(await send(key, answers, within(session))).toMatchObject({ status: 202, body: null });
    }
    const results = heard.filter(({ result }) => result !== undefined);
    expect(results.map(({ id }) => id).sort()).toEqual([1, 2, 3]);
    const asked = results.filter(({ id }) => id !== 3);
    for (const { result } of asked) expect(JSON.stringify(result.content)).toContain("action=accept");
  });
});

it("takes what the client transport of the SDK sends as a batch", async () => {
  const { key } = await world.agent("files:read", "steps:walk");
  const transport = new StreamableHTTPClientTransport(new URL(door.url), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  });
  const heard: Reply["body"][] = [];
  transport.onmessage = (message) => void heard.push(message);
  await transport.start();
  const say = (message: unknown) => transport.send(message as JSONRPCMessage);
  const hello = { protocolVersion: BATCHES, capabilities: {}, clientInfo: { name: "sdk", version: "1" } };
  await say(request("hello", "initialize", hello));
  transport.setProtocolVersion(BATCHES);
  await say([notification("notifications/initialized"), notification("notifications/roots/list_changed")]);
  await say([request(1, "tools/list"), call(2, "files__read"), call(3, "vault__open")]);
  await expect.poll(() => heard.map(({ id }) => id), { timeout: 20_000 }).toEqual(["hello", 1, 2, 3]);
  await say([call(4, "steps__walk", {}, { progressToken: "p" }), call(5, "files__read")]);
  const ids = () => heard.flatMap(({ id }) => (id === undefined ? [] : [id]));
  await expect.poll(() => ids().slice(4).sort(), { timeout: 20_000 }).toEqual([4, 5]);
  expect(heard.filter(({ method }) => method === "notifications/progress")).toHaveLength(3);
  await transport.close();
});
