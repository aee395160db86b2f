import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { trail } from "@/lib/audit/trail";
import { singleton } from "@/lib/core/singleton";
import { boot, shutdown } from "@/lib/gateway/boot";
import { circuitViews } from "@/lib/gateway/circuits";
import { liftKillSwitch, throwKillSwitch } from "@/lib/kill-switches/throw-kill-switch";
import { changeToolCache } from "@/lib/limits/change-handling";
import { changeAgentLimit } from "@/lib/limits/change-limits";
import { META } from "@/lib/mcp/upstream/protocol";
import { listServers } from "@/lib/servers/read";
import { registerServer } from "@/lib/servers/register-server";
import type { ServerEndpoint } from "@/lib/servers/schemas";
import { enableServer } from "@/lib/servers/switch-server";
import { type ConformanceUpstream, startConformanceUpstream } from "@/lib/testing/conformance-upstream";
import { createTestAgent, createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { openDoor } from "@/lib/testing/gateway-world";
import { readTrail } from "@/lib/testing/read-trail";
import { type RpcOptions, rpc } from "@/lib/testing/rpc";

const ALL = { sampling: {}, elicitation: {} };
const EVERYTHING = `${process.cwd()}/node_modules/@modelcontextprotocol/server-everything/dist/index.js`;
/** A program that asks its client something in the middle of a call, and says what it heard. */
const ASKS = `
  let call = null;
  const write = (m) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...m }) + "\\n");
  const tools = [{ name: "ask", inputSchema: { type: "object" } }];
  const info = { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "asks", version: "1" } };
  const question = { message: "Sure?", requestedSchema: { type: "object", properties: { sure: { type: "boolean" } } } };
  require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method, result, error } = JSON.parse(line);
    if (method === "initialize") write({ id, result: info });
    else if (method === "tools/list") write({ id, result: { tools } });
    else if (method === "tools/call") {
      call = id;
      write({ id: "q1", method: "elicitation/create", params: question });
    } else if (id === "q1") write({ id: call, result: { content: [{ type: "text", text: JSON.stringify(result ?? error) }] } });
  });`;
const UPSTREAMS = ["modern", "legacy"] as const;

let tenant: TestTenant;
let door: Awaited<ReturnType<typeof openDoor>>;
const upstreams: ConformanceUpstream[] = [];

async function register(slug: string, endpoint: ServerEndpoint): Promise<readonly string[]> {
  const { id, tools } = await perform(registerServer, tenant.ctx(), { slug, name: slug, endpoint });
  await perform(enableServer, tenant.ctx(), { id });
  return tools.map(({ name }) => name);
}

async function map(server: string, tools: readonly string[], permission: string): Promise<void> {
  const { version } = await currentPermissionMap(tenant.tenantId);
  const changes = tools.map((tool) => ({ server, tool, permission }));
  await perform(changePermissionMap, tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
}

beforeAll(async () => {
  await boot();
  tenant = await createTestTenant();
  for (const era of UPSTREAMS) {
    const upstream = await startConformanceUpstream(era);
    upstreams.push(upstream);
    await map(era, await register(era, { transport: "http", url: upstream.url }), `${era}:call`);
  }
  await map("modern", ["resources:read", "prompts:get"], "modern:read");
  await map("legacy", ["resources:read", "prompts:get"], "legacy:read");
  const command: ServerEndpoint = { transport: "stdio", command: "node", args: [EVERYTHING], env: {} };
  await map("every", [...(await register("every", command)), "resources:read", "prompts:get"], "every:use");
  const tiny: ServerEndpoint = { transport: "stdio", command: "node", args: ["-e", ASKS], env: {} };
  await map("tiny", await register("tiny", tiny), "tiny:use");
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await Promise.all(upstreams.map((upstream) => upstream.close()));
  await shutdown();
});

const ask = (method: string, params: Record<string, unknown>, options: RpcOptions, path = "") =>
  rpc(`${door.url}${path}`, method, params, {
    ...options,
    headers: typeof params["uri"] === "string" ? { "mcp-name": params["uri"] } : {},
  });
const agent = (...permissions: string[]) => createTestAgent(tenant, permissions);

type Handlers = { capabilities?: Record<string, unknown>; prepare?: (client: OldClient) => void };
async function connect(key: string, path: string, { capabilities = {}, prepare }: Handlers = {}): Promise<OldClient> {
  const headers = { authorization: `Bearer ${key}` };
  const transport = new OldTransport(new URL(`${door.url}${path}`), { requestInit: { headers } });
  const client = new OldClient({ name: "v1", version: "1" }, { capabilities });
  prepare?.(client);
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return client;
}

it("counts a list that servers are asked for against the limits, as one call", async () => {
  const { key, agentId } = await agent("modern:read", "legacy:read");
  await perform(changeAgentLimit, tenant.ctx(), { id: agentId, perSecond: 1, reason: "for the test" });
  const answers = await Promise.all(
    ["resources/list", "prompts/list", "resources/templates/list"].map((method) => ask(method, {}, { key })),
  );
  const codes = answers.map(({ body }) => body.error?.data.code ?? "ok");
  expect(codes.sort()).toEqual(["ok", "rate_limited", "rate_limited"]);
});

describe.each(["modern", "legacy"] as const)("a client of the %s era", (era) => {
  it("sees and reads resources and prompts by the server's key in the map, and nothing without it", async () => {
    const reader = await agent("modern:read");
    const stranger = await agent("legacy:call", "modern:call");
    const listed = await ask("resources/list", {}, { era, key: reader.key });
    const uris = listed.body.result.resources.map((each: { uri: string }) => each.uri);
    expect(uris).toContain("modern+test://static-text");
    expect(uris.every((uri: string) => uri.startsWith("modern+"))).toBe(true);
    const read = await ask("resources/read", { uri: "modern+test://static-text" }, { era, key: reader.key });
    expect(read.body.result.contents[0]).toMatchObject({ uri: "modern+test://static-text", mimeType: "text/plain" });
    const prompts = await ask("prompts/list", {}, { era, key: reader.key });
    expect(prompts.body.result.prompts[0].name).toMatch(/^modern__/);
    const got = await ask("prompts/get", { name: "modern__test_simple_prompt" }, { era, key: reader.key });
    expect(got.body.result.messages).toHaveLength(1);

    const user = await agent("modern:call");
    const linked = async (path: string, name: string) =>
      (await ask("tools/call", { name, arguments: {} }, { era, key: user.key }, path)).body.result.content[0].resource
        .uri;
    expect(await linked("", "modern__test_embedded_resource")).toBe("modern+test://embedded-resource");
    expect(await linked("/modern", "test_embedded_resource")).toBe("test://embedded-resource");

    expect((await ask("resources/list", {}, { era, key: stranger.key })).body.result.resources).toEqual([]);
    expect((await ask("prompts/list", {}, { era, key: stranger.key })).body.result.prompts).toEqual([]);
    for (const [method, params] of [
      ["resources/read", { uri: "modern+test://static-text" }],
      ["resources/read", { uri: "nowhere+test://static-text" }],
      ["prompts/get", { name: "modern__test_simple_prompt" }],
    ] as const) {
      const { body } = await ask(method, params, { era, key: stranger.key });
      expect(body.error).toMatchObject({ code: -32003, data: { code: "permission_denied" } });
      const last = (await readTrail(tenant.tenantId)).at(-1);
      expect(last).toMatchObject({ type: "tool_call.denied" });
    }
  });

  it("leaves intent and outcome of every read in the trail, with the address", async () => {
    const { key, agentId } = await agent("modern:read");
    const { body } = await ask("resources/read", { uri: "test://static-text" }, { era, key }, "/modern");
    const mine = (await readTrail(tenant.tenantId)).filter(({ text }) => text.includes(agentId));
    expect(mine.map(({ type }) => type)).toEqual(["tool_call.started", "tool_call.finished"]);
    expect(mine[1]?.target).toBe("resources/read test://static-text");
    expect(mine[1]?.text).toContain('"rule_id":"map:modern/resources:read=modern:read"');
    expect(mine[1]?.text).toContain('"tool":"resources:read"');
    expect(mine[1]?.text).toContain(body.result._meta["dev.countersign/entry"]);
  });

  it("is told what a server refuses, in the server's words and with the caller's address", async () => {
    const { key } = await agent("modern:read");
    const { body } = await ask("resources/read", { uri: "modern+test://none" }, { era, key });
    expect(body.error).toMatchObject({ code: -32602, data: { uri: "modern+test://none" } });
  });

  it("completes arguments of prompts and resources", async () => {
    const { key } = await agent("modern:read");
    const ref = { type: "ref/prompt", name: "modern__test_prompt_with_arguments" };
    const { body } = await ask("completion/complete", { ref, argument: { name: "arg1", value: "par" } }, { era, key });
    expect(body.result.completion.values).toEqual(["paris", "park", "party"]);
  });
});

it("needs admin for resources and prompts that nobody mapped", async () => {
  const fresh = await createTestTenant();
  const { id } = await perform(registerServer, fresh.ctx(), {
    slug: "files",
    name: "files",
    endpoint: { transport: "http", url: upstreams[0]?.url ?? "" },
  });
  await perform(enableServer, fresh.ctx(), { id });
  const some = await createTestAgent(fresh, ["files:*"]);
  const admin = await createTestAgent(fresh, ["admin:*"]);
  expect((await ask("resources/list", {}, { key: some.key })).body.result.resources).toEqual([]);
  const refused = await ask("resources/read", { uri: "files+test://static-text" }, { key: some.key });
  expect(refused.body.error.data).toMatchObject({ code: "permission_denied", missing: "admin:*" });
  expect((await ask("resources/list", {}, { key: admin.key })).body.result.resources).not.toEqual([]);
});

describe.each(UPSTREAMS)("a client of the sessions era before a server of the %s era", (server) => {
  const prepare = (client: OldClient) => {
    client.setRequestHandler(CreateMessageRequestSchema, () => ({
      role: "assistant",
      content: { type: "text", text: "Paris" },
      model: "test",
    }));
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: { response: "yes" } }));
  };

  it("is asked to sample and for input, and its answers reach the server", async () => {
    const { key } = await agent(`${server}:call`);
    const client = await connect(key, `/${server}`, { capabilities: ALL, prepare });
    const sampled = await client.callTool({ name: "test_sampling", arguments: { prompt: "Capital?" } });
    expect(sampled.content).toEqual([{ type: "text", text: "LLM response: Paris" }]);
    const asked = await client.callTool({ name: "test_elicitation", arguments: { message: "Sure?" } });
    expect(JSON.stringify(asked.content)).toContain("action=accept");
    await client.close();
  });

  it("that cancels a call is told that its question is off, and nothing of it stays", async () => {
    const { key } = await agent(`${server}:call`);
    const cancelling = new AbortController();
    let told = false;
    const client = await connect(key, `/${server}`, {
      capabilities: ALL,
      prepare: (each) =>
        each.setRequestHandler(ElicitRequestSchema, (_question, { signal }) => {
          setTimeout(() => cancelling.abort(), 50);
          return new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              told = true;
              reject(new Error("off"));
            });
          });
        }),
    });
    const { signal } = cancelling;
    const work = client.callTool({ name: "test_elicitation", arguments: { message: "Sure?" } }, undefined, { signal });
    await expect(work).rejects.toThrow();
    await expect.poll(() => told, { timeout: 5_000 }).toBe(true);
    expect(singleton("mcp.pending-asks", () => new Map()).size).toBe(0);
    await client.close();
  });

  it("leaves each question and its answer in the trail, before the server hears the answer", async () => {
    const { key, agentId } = await agent(`${server}:call`);
    const client = await connect(key, `/${server}`, { capabilities: ALL, prepare });
    await client.callTool({ name: "test_sampling", arguments: { prompt: "Capital?" } });
    await client.close();
    const calls = (await readTrail(tenant.tenantId)).filter(
      ({ text, type }) => text.includes(agentId) && type !== "connection.opened",
    );
    expect(calls.map(({ type }) => type)).toEqual(["tool_call.started", "question.answered", "tool_call.finished"]);
    const [ids, exchange] = [calls.map(({ text }) => /"call_id":"([^"]+)"/.exec(text)?.[1]), calls[1]];
    expect(new Set(ids).size).toBe(1);
    expect(exchange?.target).toBe("sampling/createMessage");
    expect(exchange?.payload).toMatchObject({
      question: { method: "sampling/createMessage", params: { messages: [{ role: "user" }] } },
      answer: { content: { type: "text", text: "Paris" } },
    });
  });

  it("does not tell the server what could not be recorded", async () => {
    const { key } = await agent(`${server}:call`);
    const client = await connect(key, `/${server}`, { capabilities: ALL, prepare });
    const { append: real } = trail();
    const append = vi.spyOn(trail(), "append").mockImplementation((draft) => {
      return draft.eventType === "question.answered" ? Promise.reject(new Error("the trail is full")) : real(draft);
    });
    const work = client.callTool({ name: "test_sampling", arguments: { prompt: "Capital?" } });
    const told = JSON.stringify(await work.catch((cause: Error) => cause.message));
    append.mockRestore();
    expect(told).toContain("could not record it");
    expect(told).not.toContain("Paris");
    await client.close();
  });

  it("is never asked what it did not offer", async () => {
    const { key } = await agent(`${server}:call`);
    const asked: string[] = [];
    const prepare = (each: OldClient) => {
      each.fallbackRequestHandler = async ({ method }) => {
        asked.push(method);
        return {};
      };
    };
    const client = await connect(key, `/${server}`, { capabilities: { elicitation: {} }, prepare });
    const work = client.callTool({ name: "test_sampling", arguments: { prompt: "Capital?" } });
    const outcome = await work.then(
      (result) => (result.isError === true ? "refused" : "sampled"),
      () => "refused",
    );
    expect(outcome).toBe("refused");
    expect(asked).toEqual([]);
    await client.close();
  });

  it("is not asked where it takes no streams, which is no fault of the server's", async () => {
    const { key } = await agent(`${server}:call`);
    const options = { era: "legacy", key, headers: { accept: "application/json" } } as const;
    const hello = { protocolVersion: "2025-11-25", capabilities: ALL, clientInfo: { name: "plain", version: "1" } };
    const greeted = await rpc(door.url, "initialize", hello, options);
    const session = { ...options.headers, "mcp-session-id": greeted.headers.get("mcp-session-id") ?? "" };
    const call = { name: `${server}__test_elicitation`, arguments: { message: "Sure?" } };
    const { headers, body } = await rpc(door.url, "tools/call", call, { ...options, headers: session });
    expect(headers.get("content-type")).toBe("application/json");
    expect(body.error !== undefined || body.result.isError === true).toBe(true);
    expect(circuitViews(tenant.tenantId).get(server)).toMatchObject({ kind: "closed", consecutiveFailures: 0 });
  });

  it("hears the server's log from the level that it set on", async () => {
    const { key } = await agent(`${server}:call`);
    const heard: unknown[] = [];
    const client = await connect(key, `/${server}`, {
      prepare: (each) =>
        each.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(params.data)),
    });
    await client.setLoggingLevel("error");
    await client.callTool({ name: "test_tool_with_logging", arguments: {} });
    expect(heard).toEqual([]);
    await client.setLoggingLevel("debug");
    await client.callTool({ name: "test_tool_with_logging", arguments: {} });
    expect(heard).toHaveLength(3);
    await client.close();
  });

  it("hears of resources that it follows, and of lists that change", async () => {
    const { key } = await agent(`${server}:call`, `${server}:read`);
    const heard: string[] = [];
    const client = await connect(key, "", {
      prepare: (each) => {
        each.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri));
        each.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.push("tools"));
      },
    });
    const uri = `${server}+test://watched-resource`;
    await client.subscribeResource({ uri });
    const touch = (which: string) => client.callTool({ name: `${server}__touch_resource`, arguments: { uri: which } });
    await expect
      .poll(
        async () => {
          await touch("test://watched-resource");
          await touch("test://static-text");
          return heard.includes(uri);
        },
        { timeout: 10_000, interval: 200 },
      )
      .toBe(true);
    expect(heard.filter((each) => each !== uri && each !== "tools")).toEqual([]);
    await client.callTool({ name: `${server}__test_trigger_tool_change`, arguments: {} });
    await expect.poll(() => heard.includes("tools"), { timeout: 5_000 }).toBe(true);
    await client.unsubscribeResource({ uri });
    await client.close();
  });
});

it("an answer to what nobody asked is refused, and the refusal recorded", async () => {
  const { key, agentId } = await agent();
  const { status } = await fetch(door.url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ jsonrpc: "2.0", id: "cs-made-up", result: {} }),
  });
  expect(status).toBe(400);
  const mine = (await readTrail(tenant.tenantId)).filter(({ text }) => text.includes(agentId));
  expect(mine.at(-1)).toMatchObject({ type: "request.sent", outcome: "failure" });
});

describe("a program of one's own machine", () => {
  it("gives its resources and prompts over standard streams", async () => {
    const { key } = await agent("every:use");
    const client = await connect(key, "/every");
    const { resources } = await client.listResources();
    expect(resources.length).toBeGreaterThan(0);
    const [first] = resources;
    const { contents } = await client.readResource({ uri: first?.uri ?? "" });
    expect(contents).toHaveLength(1);
    const { prompts } = await client.listPrompts();
    expect(prompts.length).toBeGreaterThan(0);
    await client.close();
  });

  it("asks the client over standard streams", async () => {
    const { key } = await agent("tiny:use");
    const prepare = (each: OldClient) =>
      each.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: { sure: true } }));
    const able = await connect(key, "/tiny", { capabilities: ALL, prepare });
    const asked = await able.callTool({ name: "ask", arguments: {} });
    expect(JSON.stringify(asked.content)).toContain("accept");
    const plain = await connect(key, "/tiny");
    const refused = await plain.callTool({ name: "ask", arguments: {} });
    expect(JSON.stringify(refused.content)).toContain("cannot be asked");
    await Promise.all([able.close(), plain.close()]);
  });
});

describe("input that a server requires on the stateless wire", () => {
  const meta = { [META.clientCapabilities]: { elicitation: {} } };
  const name = "test_input_required_result_request_state";
  const begin = async (key: string) =>
    (await ask("tools/call", { name, arguments: {} }, { key, meta }, "/modern")).body.result;
  const accepted = { confirm: { action: "accept", content: { ok: true } } };

  it("comes back with a state that serves its caller, for this request, once", async () => {
    const [mine, other] = [await agent("modern:call"), await agent("modern:call")];
    const { resultType, inputRequests, requestState } = await begin(mine.key);
    expect(resultType).toBe("input_required");
    expect(Object.keys(inputRequests)).toEqual(["confirm"]);
    const retry = { name, arguments: {}, inputResponses: accepted, requestState };
    const refusals = [
      await ask("tools/call", retry, { key: other.key, meta }, "/modern"),
      await ask("tools/call", { ...retry, arguments: { a: 1 } }, { key: mine.key, meta }, "/modern"),
      await ask("tools/call", { ...retry, requestState: `${requestState}x` }, { key: mine.key, meta }, "/modern"),
      await ask("tools/call", { ...retry, requestState: 7 }, { key: mine.key, meta }, "/modern"),
    ];
    for (const { body } of refusals) expect(body.error).toMatchObject({ code: -32602 });
    const done = await ask("tools/call", retry, { key: mine.key, meta }, "/modern");
    expect(done.body.result.content).toEqual([{ type: "text", text: "state-ok" }]);
    // What the server was told is in the trail, with the intent of the call that told it.
    const told = (await readTrail(tenant.tenantId)).filter(({ type }) => type === "tool_call.started").at(-1);
    expect(told?.payload).toEqual({ arguments: {}, inputResponses: accepted });
    const again = await ask("tools/call", retry, { key: mine.key, meta }, "/modern");
    expect(again.body.error).toMatchObject({ code: -32602 });
  });

  it("is not lost when the call that brings it is refused before the server hears of it", async () => {
    const { key, slug } = await agent("modern:call");
    const { requestState } = await begin(key);
    const retry = () =>
      ask("tools/call", { name, arguments: {}, inputResponses: accepted, requestState }, { key, meta }, "/modern");
    const { id } = await perform(throwKillSwitch, tenant.ctx(), { kind: "agent", target: slug });
    expect((await retry()).body.result._meta["dev.countersign/error"].code).toBe("killed");
    await perform(liftKillSwitch, tenant.ctx(), { id });
    expect((await retry()).body.result.content).toEqual([{ type: "text", text: "state-ok" }]);
    expect((await retry()).body.error).toMatchObject({ code: -32602 });
  });

  it("is not asked of a client that did not offer it", async () => {
    const { key } = await agent("modern:call");
    const { body } = await ask("tools/call", { name, arguments: {} }, { key }, "/modern");
    expect(body.result?.resultType).not.toBe("input_required");
  });
});

describe("a server that only wants the call again, with a state", () => {
  const name = "test_put_off";
  const call = async (options: RpcOptions, more: object = {}) =>
    (await ask("tools/call", { name, arguments: {}, ...more }, options, "/modern")).body.result;
  const done = [{ type: "text", text: "now" }];

  it("is asked again in the name of clients that know nothing of it", async () => {
    const { key } = await agent("modern:call");
    expect((await call({ key })).content).toEqual(done);
    expect((await call({ key, era: "legacy" })).content).toEqual(done);
    const client = await connect(key, "/modern", { capabilities: ALL });
    await client.setLoggingLevel("debug");
    expect((await client.callTool({ name, arguments: {} })).content).toEqual(done);
    await client.close();
  });

  it("is passed on, in our seal, to a stateless client that can be told things", async () => {
    const { key } = await agent("modern:call");
    for (const meta of [{ [META.clientCapabilities]: { elicitation: {} } }, { [META.logLevel]: "error" }]) {
      const { resultType, inputRequests, requestState } = await call({ key, meta });
      expect([resultType, inputRequests]).toEqual(["input_required", undefined]);
      expect(requestState).toMatch(/^v1\./);
      expect((await call({ key, meta }, { requestState })).content).toEqual(done);
    }
  });
});

describe("answers that are kept", () => {
  const name = "test_input_required_result_elicitation";
  const meta = { [META.clientCapabilities]: { elicitation: {} } };

  it("are none that ask for input, nor those that somebody's input led to", async () => {
    const servers = await perform(listServers, tenant.ctx(), {});
    const id = servers.find(({ slug }) => slug === "modern")?.id ?? "";
    const cached = (ttlMs: number) =>
      perform(changeToolCache, tenant.ctx(), { id, tool: name, ttlMs, reason: "for the test" });
    await cached(60_000);
    const { key } = await agent("modern:call");
    const call = async (more: object = {}) =>
      (await ask("tools/call", { name, arguments: {}, ...more }, { key, meta }, "/modern")).body.result;
    const told = (who: string) => ({ inputResponses: { user_name: { action: "accept", content: { name: who } } } });
    const before = (await readTrail(tenant.tenantId)).length;
    for (const who of ["Ann", "Bob"]) {
      expect((await call()).resultType).toBe("input_required");
      expect((await call(told(who))).content).toEqual([{ type: "text", text: `Hello, ${who}!` }]);
    }
    const since = (await readTrail(tenant.tenantId)).slice(before);
    expect(since.filter(({ type }) => type === "tool_call.finished")).toHaveLength(4);
    expect(since.map(({ text }) => text).join("\n")).not.toContain('"cache":"hit"');
    await cached(0);
  });
});
