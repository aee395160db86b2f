import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { resetSingleton, singleton } from "@/lib/core/singleton";
import { boot, shutdown } from "@/lib/gateway/boot";
import { closeGateway, getGateway } from "@/lib/gateway/compose";
import { liftKillSwitch, throwKillSwitch } from "@/lib/kill-switches/throw-kill-switch";
import { META, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";
import { registerServer } from "@/lib/servers/register-server";
import type { ServerEndpoint } from "@/lib/servers/schemas";
import { enableServer } from "@/lib/servers/switch-server";
import { type ConformanceUpstream, startConformanceUpstream } from "@/lib/testing/conformance-upstream";
import { createTestAgent, createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { openDoor } from "@/lib/testing/gateway-world";
import { readTrail } from "@/lib/testing/read-trail";
import { rpc } from "@/lib/testing/rpc";

/** A program of the sessions era that asks twice in the middle of a call, one question after the other. */
const ASKS_TWICE = `
  let call = null;
  const heard = [];
  const write = (m) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...m }) + "\\n");
  const info = { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "asks", version: "1" } };
  const ask = (id) => write({ id, method: "elicitation/create", params: { message: id, requestedSchema: { type: "object", properties: {} } } });
  require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method, result, error } = JSON.parse(line);
    if (method === "initialize") write({ id, result: info });
    else if (method === "tools/list") write({ id, result: { tools: [{ name: "ask", inputSchema: { type: "object" } }] } });
    else if (method === "tools/call") { call = id; heard.length = 0; ask("first"); }
    else if (id === "first" || id === "second") {
      heard.push(result?.content?.said ?? error?.message);
      if (id === "first") ask("second");
      else write({ id: call, result: { content: [{ type: "text", text: heard.join(" and ") }] } });
    }
  });`;
/** A program that never answers a call. */
const HANGS = `
  const write = (m) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...m }) + "\\n");
  const info = { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "hangs", version: "1" } };
  require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method } = JSON.parse(line);
    if (method === "initialize") write({ id, result: info });
    else if (method === "tools/list") write({ id, result: { tools: [{ name: "ask", inputSchema: { type: "object" } }] } });
    else if (method === "ping") write({ id, result: {} });
  });`;
const CAPABILITIES = { elicitation: {}, sampling: {} };
const ERROR = "dev.countersign/error";

let tenant: TestTenant;
let door: Awaited<ReturnType<typeof openDoor>>;
let old: ConformanceUpstream;

async function register(slug: string, endpoint: ServerEndpoint, deadlineMs = 30_000): Promise<void> {
  const { id, tools } = await perform(registerServer, tenant.ctx(), { slug, name: slug, endpoint, deadlineMs });
  await perform(enableServer, tenant.ctx(), { id });
  const { version } = await currentPermissionMap(tenant.tenantId);
  const changes = tools.map(({ name }) => ({ server: slug, tool: name, permission: "old:call" }));
  await perform(changePermissionMap, tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
}

beforeAll(async () => {
  await boot();
  tenant = await createTestTenant();
  old = await startConformanceUpstream("legacy");
  await register("old", { transport: "http", url: old.url });
  await register("twice", { transport: "stdio", command: "node", args: ["-e", ASKS_TWICE], env: {} });
  await register("hangs", { transport: "stdio", command: "node", args: ["-e", HANGS], env: {} }, 500);
  door = await openDoor("node");
});
afterAll(async () => {
  await door.close();
  await old.close();
  await shutdown();
});

const agent = () => createTestAgent(tenant, ["old:call"]);
const meta = { [META.clientCapabilities]: CAPABILITIES };

/** One call as a stateless client makes it, by hand. */
async function call(key: string, more: Record<string, unknown> = {}, name = "old__test_elicitation") {
  const args = name === "old__test_elicitation" ? { message: "Sure?" } : {};
  const { body } = await rpc(door.url, "tools/call", { name, arguments: args, ...more }, { key, meta });
  return body.result ?? body.error;
}
const saying = (question: string, content: object) => ({ [question]: { action: "accept", content } });
const asText = (result: unknown): string => JSON.stringify(result);

describe("a stateless client before a server of the sessions era", () => {
  it("is asked by an answer, and what it brings reaches the call that is held", async () => {
    const { key, agentId } = await agent();
    const asked = await call(key);
    expect(asked).toMatchObject({ resultType: "input_required", requestState: expect.stringMatching(/^v1\./) });
    const [question = ""] = Object.keys(asked.inputRequests);
    expect(asked.inputRequests[question]).toMatchObject({ method: "elicitation/create", params: { message: "Sure?" } });
    const inputResponses = saying(question, { response: "yes" });
    const done = await call(key, { inputResponses, requestState: asked.requestState });
    expect(done).toMatchObject({ resultType: "complete" });
    expect(asText(done.content)).toContain("action=accept");
    const again = await call(key, { inputResponses, requestState: asked.requestState });
    expect(again._meta[ERROR].code).toBe("not_found");
    const mine = (await readTrail(tenant.tenantId)).filter(({ text }) => text.includes(agentId));
    expect(mine.map(({ type }) => type).slice(0, 4)).toEqual([
      "tool_call.started",
      "tool_call.finished",
      "tool_call.started",
      "tool_call.finished",
    ]);
    expect(mine[1]?.text).toContain('"reason_code":"input_required"');
    expect(getGateway().inFlight.size()).toBe(0);
  });

  it("needs no more than the official client, which answers by itself", async () => {
    const { key } = await agent();
    const client = new Client(
      { name: "v2", version: "1" },
      { capabilities: CAPABILITIES, versionNegotiation: { mode: { pin: MODERN_VERSION } } },
    );
    client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { response: "by itself" } }));
    client.setRequestHandler("sampling/createMessage", () => ({
      role: "assistant",
      content: { type: "text", text: "Paris" },
      model: "test",
    }));
    const headers = { authorization: `Bearer ${key}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(door.url), { requestInit: { headers } }));
    const given = await client.callTool({ name: "old__test_elicitation", arguments: { message: "Sure?" } });
    expect(asText(given.content)).toContain("by itself");
    const sampled = await client.callTool({ name: "old__test_sampling", arguments: { prompt: "Capital?" } });
    expect(asText(sampled.content)).toContain("Paris");
    await client.close();
  });

  it("gets the answers to its own questions, one after the other, and nobody else's", async () => {
    const [one, two] = [await agent(), await agent()];
    const [first, second] = [await call(one.key), await call(two.key)];
    const [[a], [b]] = [Object.keys(first.inputRequests), Object.keys(second.inputRequests)];
    const stolen = { inputResponses: saying(a ?? "", { response: "two" }), requestState: first.requestState };
    expect((await call(two.key, stolen)).code).toBe(-32602);
    const answer = async (key: string, state: unknown, question = "", response = "") =>
      asText((await call(key, { inputResponses: saying(question, { response }), requestState: state })).content);
    expect(await answer(two.key, second.requestState, b, "from two")).toContain("from two");
    expect(await answer(one.key, first.requestState, a, "from one")).toContain("from one");

    const begun = await call(one.key, {}, "twice__ask");
    const next = async (state: unknown, question: string, said: string) =>
      call(one.key, { inputResponses: saying(question, { said }), requestState: state }, "twice__ask");
    const going = await next(begun.requestState, "question-1", "this");
    expect(going).toMatchObject({ resultType: "input_required" });
    const ended = await next(going.requestState, "question-2", "that");
    expect(ended.content).toEqual([{ type: "text", text: "this and that" }]);
  });

  it("that brings no answer is asked again", async () => {
    const { key } = await agent();
    const { requestState, inputRequests } = await call(key, {}, "twice__ask");
    const again = await call(key, { inputResponses: {}, requestState }, "twice__ask");
    expect(again).toMatchObject({ resultType: "input_required", inputRequests });
    const inputResponses = saying("question-1", { said: "this" });
    const going = await call(key, { inputResponses, requestState: again.requestState }, "twice__ask");
    expect(Object.keys(going.inputRequests)).toEqual(["question-2"]);
    const last = { inputResponses: saying("question-2", { said: "that" }), requestState: going.requestState };
    expect(asText((await call(key, last, "twice__ask")).content)).toContain("this and that");
  });
});

describe("a call that is held", () => {
  it("of a server that hangs counts as one, and opens the circuit", async () => {
    const { key } = await agent();
    const codes: string[] = [];
    for (let nth = 0; nth < 6; nth += 1) codes.push((await call(key, {}, "hangs__ask"))._meta?.[ERROR]?.code);
    expect(codes).toEqual([...Array.from({ length: 5 }, () => "upstream_timeout"), "circuit_open"]);
  });

  it("ends by a kill switch while its client is away, and the client is told when it comes", async () => {
    const { key, slug, agentId } = await agent();
    const { requestState, inputRequests } = await call(key);
    expect(getGateway().inFlight.size()).toBe(1);
    const mine = async () => (await readTrail(tenant.tenantId)).filter(({ text }) => text.includes(agentId));
    const thrown = await perform(throwKillSwitch, tenant.ctx(), { kind: "agent", target: slug });
    await expect.poll(() => getGateway().inFlight.size(), { timeout: 20_000 }).toBe(0);
    await perform(liftKillSwitch, tenant.ctx(), { id: thrown.id });
    // Its outcome says that it was answered with a question; what became of it then is an entry of the same call.
    await expect.poll(async () => (await mine()).length, { timeout: 20_000 }).toBe(3);
    const [, asked, ended] = (await mine()).map(({ text }) => JSON.parse(text.slice(0, text.indexOf("} ") + 1)));
    expect(asked).toMatchObject({ event_type: "tool_call.finished", reason_code: "input_required" });
    const same = { call_id: asked.call_id, server: "old", tool: "test_elicitation", actor_id: agentId };
    expect(ended).toMatchObject({ event_type: "tool_call.not_resumed", reason_code: "killed", ...same });
    const inputResponses = saying(Object.keys(inputRequests)[0] ?? "", { response: "late" });
    await expect.poll(async () => (await call(key))._meta?.[ERROR]?.code ?? "open", { timeout: 20_000 }).toBe("open");
    const late = await call(key, { inputResponses, requestState });
    // Why it ended is told for a few seconds; that it is over, always.
    expect(late._meta[ERROR].code).toMatch(/^(killed|not_found)$/);
  });

  it("is not there in another process, which says so and leaves its state to the right one", async () => {
    const { key } = await agent();
    const { requestState, inputRequests } = await call(key);
    // What another process holds is not in this one's memory.
    const kept = singleton("gateway.held-calls", () => new Map());
    resetSingleton("gateway.held-calls");
    const inputResponses = saying(Object.keys(inputRequests)[0] ?? "", { response: "yes" });
    const elsewhere = await call(key, { inputResponses, requestState });
    expect(elsewhere._meta[ERROR].code).toBe("not_found");
    expect(elsewhere.content[0].text).toContain("another process of the gateway held it");
    resetSingleton("gateway.held-calls");
    singleton("gateway.held-calls", () => kept);
    expect(asText((await call(key, { inputResponses, requestState })).content)).toContain("action=accept");
  });

  it("is one of at most thirty-two at a server: what a further one asks is refused in its client's name", async () => {
    resetSingleton("gateway.held-calls");
    const { key } = await agent();
    const asked = await Promise.all(Array.from({ length: 32 }, () => call(key)));
    expect(asked.every(({ resultType }) => resultType === "input_required")).toBe(true);
    const further = await call(key);
    expect(further.resultType).not.toBe("input_required");
    const [first] = asked;
    const inputResponses = saying(Object.keys(first.inputRequests)[0] ?? "", { response: "yes" });
    expect(asText((await call(key, { inputResponses, requestState: first.requestState })).content)).toContain("yes");
    expect(await call(key)).toMatchObject({ resultType: "input_required" });
  });

  it("ends with its process, and the trail says so", async () => {
    resetSingleton("gateway.held-calls");
    const { key, agentId } = await agent();
    for (const name of ["old__test_elicitation", "twice__ask"]) await call(key, {}, name);
    await closeGateway();
    const ended = async () =>
      (await readTrail(tenant.tenantId)).filter(
        ({ type, text }) => type === "tool_call.not_resumed" && text.includes(agentId),
      );
    await expect.poll(async () => (await ended()).length, { timeout: 20_000 }).toBe(2);
  });
});
