import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changePermissionMap } from "@/lib/access/change-permission-map";
import { currentPermissionMap } from "@/lib/access/permission-map";
import { perform } from "@/lib/audit/perform";
import { walkTrail } from "@/lib/audit/verify-trail";
import { newId } from "@/lib/core/ids";
import { connectSharedRedis } from "@/lib/db/redis-client";
import type { Grant } from "@/lib/gateway/authorize";
import { findElsewhere } from "@/lib/gateway/held-calls/elsewhere";
import { idIn, ownerOf } from "@/lib/gateway/held-calls/held-call";
import { holdCall, type Speak } from "@/lib/gateway/held-calls/hold-call";
import { throwKillSwitch } from "@/lib/kill-switches/throw-kill-switch";
import { META } from "@/lib/mcp/upstream/protocol";
import { startDeadline } from "@/lib/resilience/deadline";
import { registerServer } from "@/lib/servers/register-server";
import { enableServer } from "@/lib/servers/switch-server";
import { bundleServer, freePort, gone, startDoor } from "@/lib/testing/door-processes";
import { createTestAgent, createTestTenant, type TestAgent, type TestTenant } from "@/lib/testing/factories";
import { readTrail } from "@/lib/testing/read-trail";
import { rpc } from "@/lib/testing/rpc";
import { withTestDatabase } from "@/lib/testing/test-database";
import { testRedisUrl } from "@/lib/testing/test-redis";

withTestDatabase();

/** A program of the sessions era that asks in the middle of each call, and then does what the tool is named for. */
const ASKS = `
  const { appendFileSync, writeFileSync } = require("node:fs");
  const write = (m) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...m }) + "\\n");
  const info = { protocolVersion: "2025-11-25", capabilities: { tools: {}, logging: {} }, serverInfo: { name: "asks", version: "1" } };
  const tools = ["twice", "large", "fail", "hang"].map((name) => ({ name, inputSchema: { type: "object" } }));
  let call = null;
  const heard = [];
  const ask = (id) => write({ id, method: "elicitation/create", params: { message: id, requestedSchema: { type: "object", properties: {} } } });
  const say = (text) => write({ id: call.id, result: { content: [{ type: "text", text }] } });
  const goOn = () => {
    if (call.name === "fail") return write({ id: call.id, error: { code: -32001, message: "It is closed.", data: { at: 7 } } });
    if (call.name === "large") return say("\\u00e4 large word. ".repeat(50_000) + heard[0]);
    if (call.name === "hang") return appendFileSync(process.argv[2] + ".heard", "x");
    if (heard.length === 2) return say(heard.join(" and "));
    write({ method: "notifications/progress", params: { progressToken: call.token, progress: 1, total: 2, message: "half" } });
    ask("second");
  };
  require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method, params, result, error } = JSON.parse(line);
    if (method === "initialize") write({ id, result: info });
    else if (method === "ping" || method === "logging/setLevel") write({ id, result: {} });
    else if (method === "tools/list") write({ id, result: { tools } });
    else if (method === "notifications/cancelled" && process.argv[2]) writeFileSync(process.argv[2], "cancelled");
    else if (method === "tools/call") {
      call = { id, name: params.name, token: params._meta?.progressToken };
      heard.length = 0;
      ask("first");
    } else if (id === "first" || id === "second") {
      heard.push(result?.content?.said ?? error?.message ?? result?.action);
      goOn();
    }
  });`;
const SECRET = "a word that nobody but the two of them may read";
const ERROR = "dev.countersign/error";
const url = testRedisUrl ?? "";
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const patiently = { timeout: 30_000, interval: 50 };

let tenant: TestTenant;
let agent: TestAgent;
let entry: string;
let dir: string;
const prefix = `cs-test-${newId().slice(-12)}`;
const closers: (() => Promise<unknown> | unknown)[] = [];
type Door = { readonly url: string; readonly child: ChildProcess };

async function register(slug: string, deadlineMs: number): Promise<void> {
  const args = [join(dir, "asks.cjs"), join(dir, slug)];
  const endpoint = { transport: "stdio", command: "node", args, env: {} } as const;
  const { id, tools } = await perform(registerServer, tenant.ctx(), { slug, name: slug, endpoint, deadlineMs });
  await perform(enableServer, tenant.ctx(), { id });
  const { version } = await currentPermissionMap(tenant.tenantId);
  const changes = tools.map(({ name }) => ({ server: slug, tool: name, permission: "asks:call" }));
  await perform(changePermissionMap, tenant.ctx(), { baseVersion: version, changes, reason: "for the test" });
}

async function openDoor(): Promise<Door> {
  const port = await freePort();
  const env = { REDIS_PREFIX: prefix, REDIS_URL: url };
  const child = await startDoor(entry, port, { env });
  closers.push(async () => {
    child.kill("SIGKILL");
    await gone(child);
  });
  return { url: `http://127.0.0.1:${port}/api/mcp`, child };
}

async function die(...doors: readonly Door[]): Promise<void> {
  for (const { child } of doors) child.kill("SIGKILL");
  await Promise.all(doors.map(({ child }) => gone(child)));
}

async function withClient<T>(work: (client: ReturnType<typeof createClient>) => Promise<T>): Promise<T> {
  const client = createClient({ url });
  await client.connect();
  try {
    return await work(client as ReturnType<typeof createClient>);
  } finally {
    client.destroy();
  }
}

type Brought = { readonly inputResponses?: object; readonly requestState?: unknown };
type More = { readonly key?: string; readonly token?: string; readonly signal?: AbortSignal };

/** One call of a stateless client that can be asked, at this door. Answers with the result or the error. */
async function call(door: Door, tool: string, brought: Brought = {}, { key = agent.key, token, signal }: More = {}) {
  const meta = {
    [META.clientCapabilities]: { elicitation: {} },
    ...(token === undefined ? {} : { progressToken: token }),
  };
  const options = { key, meta, ...(signal === undefined ? {} : { signal }) };
  const { text, body } = await rpc(door.url, "tools/call", { name: tool, arguments: {}, ...brought }, options);
  const events = text.split("\n").filter((line) => line.startsWith("data: "));
  const messages = events.length > 0 ? events.map((line) => JSON.parse(line.slice(6))) : [body];
  const last = messages.at(-1);
  return { answer: last.result ?? last.error, before: messages.slice(0, -1) };
}

const saying = (requestState: unknown, said: string, question = "question-1") => ({
  inputResponses: { [question]: { action: "accept", content: { said } } },
  requestState,
});
const fromBase64 = (text: string) => Buffer.from(text, "base64").toString("latin1");
const codeOf = (answer: Record<string, unknown>): unknown =>
  (answer["_meta"] as Record<string, { code?: string }> | undefined)?.[ERROR]?.code ??
  (answer["data"] as { code?: string } | undefined)?.code;

const withRedis = describe.skipIf(url === "");
withRedis(`a call that another process holds${url === "" ? " (not run: set CS_TEST_REDIS_URL)" : ""}`, () => {
  let one: Door;
  let other: Door;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "cs-held-"));
    closers.push(() => rmSync(dir, { recursive: true, force: true }));
    writeFileSync(join(dir, "asks.cjs"), ASKS);
    tenant = await createTestTenant();
    await register("asks", 30_000);
    await register("slow", 1_500);
    await register("long", 60_000);
    agent = await createTestAgent(tenant, ["asks:call"]);
    const server = await bundleServer();
    entry = server.entry;
    closers.push(server.remove);
    [one, other] = await Promise.all([openDoor(), openDoor()]);
  });
  afterAll(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  /** Resolves when programs of this server have heard so many answers that they say nothing to. */
  const heard = (slug: string, times: number) =>
    expect.poll(() => readFileSync(join(dir, `${slug}.heard`), { flag: "a+" }).length, patiently).toBe(times);

  /** Begins a call at one door, and gives the state that its question came with. */
  async function begun(tool: string, door = one): Promise<string> {
    const { answer } = await call(door, tool);
    expect(answer).toMatchObject({ resultType: "input_required", inputRequests: { "question-1": {} } });
    return answer.requestState;
  }

  it("goes on wherever its client comes back, and each turn is in the trail", async () => {
    const state = await begun("asks__twice");
    const { answer: asked, before } = await call(other, "asks__twice", saying(state, "this"), { token: "t" });
    expect(asked).toMatchObject({ resultType: "input_required", inputRequests: { "question-2": {} } });
    // What the server tells meanwhile reaches the client that is there now.
    expect(before).toMatchObject([{ method: "notifications/progress", params: { progressToken: "t", progress: 1 } }]);
    const { answer } = await call(one, "asks__twice", saying(asked.requestState, "that", "question-2"));
    expect(answer).toMatchObject({ resultType: "complete", content: [{ type: "text", text: "this and that" }] });
    const entries = (await readTrail(tenant.tenantId)).filter(({ type }) => type.startsWith("tool_call."));
    expect(entries.map(({ type }) => type)).toEqual(
      Array.from({ length: 3 }, () => ["tool_call.started", "tool_call.finished"]).flat(),
    );
    expect(entries[2]?.text).toContain('"said":"this"');
    expect(await walkTrail(tenant.tenantId)).toMatchObject({ valid: true });
  });

  it("is nobody else's, and serves once", async () => {
    const state = await begun("asks__twice");
    const stranger = await createTestAgent(tenant, ["asks:call"]);
    const { answer: stolen } = await call(other, "asks__twice", saying(state, "mine"), { key: stranger.key });
    expect(stolen.code).toBe(-32602);
    const both = await Promise.all([one, other].map((door) => call(door, "asks__twice", saying(state, "this"))));
    const ways = both.map(({ answer }) => answer.resultType ?? answer.code);
    expect(ways.sort()).toEqual([-32602, "input_required"]);
    const { requestState } = both.find(({ answer }) => answer.resultType === "input_required")?.answer ?? {};
    await call(other, "asks__twice", saying(requestState, "that", "question-2"));
  });

  it("brings a large answer whole, with the digest of the whole, and nothing that others of Redis could read", async () => {
    const state = await begun("asks__large");
    const seen: string[] = [];
    await withClient(async (client) => {
      await client.monitor((line) => void seen.push(String(line)));
      const { answer } = await call(other, "asks__large", saying(state, SECRET));
      expect(answer.content).toEqual([{ type: "text", text: "ä large word. ".repeat(50_000) + SECRET }]);
    });
    const sent = seen.filter((line) => line.includes(prefix) && /held/.test(line));
    expect(sent.length).toBeGreaterThan(6);
    const readable = sent.flatMap((line) => line.match(/[A-Za-z0-9+/=]{24,}/g) ?? []).map(fromBase64);
    expect(readable.filter((text) => /word|find|owner|pieces/.test(text))).toEqual([]);
    const [last] = (await readTrail(tenant.tenantId)).slice(-1);
    expect(last?.text).toMatch(/"sha256":"[0-9a-f]{64}"/);
    // Fetched, it lies nowhere any more.
    const left = await withClient((client) => client.keys(`${prefix}:held:*`));
    expect(left).toEqual([]);
  });

  it("fails as it would where it is held", async () => {
    const { answer } = await call(other, "asks__fail", saying(await begun("asks__fail"), "this"));
    expect(codeOf(answer)).toBe("upstream_error");
    expect(JSON.stringify(answer)).toContain("It is closed.");
    const late = await call(other, "slow__hang", saying(await begun("slow__hang"), "this"));
    expect(codeOf(late.answer)).toBe("upstream_timeout");
    await expect.poll(() => existsSync(join(dir, "slow")), patiently).toBe(true);
  });

  it("is over for its server when its caller leaves, or a kill switch ends it", async () => {
    const left = new AbortController();
    const going = call(other, "asks__hang", saying(await begun("asks__hang"), "this"), { signal: left.signal });
    await heard("asks", 1);
    left.abort();
    await expect(going).rejects.toThrow();
    await expect.poll(() => existsSync(join(dir, "asks")), patiently).toBe(true);
    rmSync(join(dir, "asks"));

    const victim = await createTestAgent(tenant, ["asks:call"]);
    const { key } = victim;
    const [third, fourth] = await Promise.all([openDoor(), openDoor()]);
    const { answer } = await call(third, "asks__hang", {}, { key });
    const killed = call(fourth, "asks__hang", saying(answer.requestState, "this"), { key });
    await heard("asks", 2);
    await perform(throwKillSwitch, tenant.ctx(), { kind: "agent", target: victim.slug });
    expect(codeOf((await killed).answer)).toBe("killed");
    await expect.poll(() => existsSync(join(dir, "asks")), patiently).toBe(true);
  });

  it("is given up when its process dies, before or while somebody waits for it, or when the waiting one dies", async () => {
    const [third, fourth, fifth] = await Promise.all([openDoor(), openDoor(), openDoor()]);
    const state = await begun("asks__twice", third);
    const going = call(fourth, "long__hang", saying(await begun("long__hang", third), "this"));
    const lost = call(fifth, "long__hang", saying(await begun("long__hang", other), "this"));
    // Both go on before their processes die.
    await Promise.all([expect(lost).rejects.toThrow(), heard("long", 2).then(() => die(third, fifth))]);
    const { answer } = await call(fourth, "asks__twice", saying(state, "this"));
    expect(codeOf(answer)).toBe("not_found");
    expect(codeOf((await going).answer)).toBe("unavailable");
    // Nobody says so: whoever holds it finds out.
    await expect.poll(() => existsSync(join(dir, "long")), patiently).toBe(true);
  });

  it("is known, where it ends with nobody there, by the call that its client made last, wherever that was", async () => {
    const disconnect = await connectSharedRedis(url);
    const grant = { identity: { tenantId: "t", actor: { id: "a" } }, server: { id: "s" }, ref: { tool: "do" } };
    let kill: () => void = () => undefined;
    const enter = (_: unknown, stop: () => void) => {
      kill = stop;
      return () => undefined;
    };
    const doing = { inFlight: { enter, size: () => 0, close: () => undefined } };
    const outer = startDeadline(60_000);
    const told: unknown[] = [];
    const twice: Speak = async ({ dialogue }) => {
      await dialogue.onRequest?.("elicitation/create", {});
      return { result: (await dialogue.onRequest?.("elicitation/create", {})) ?? {}, bytes: 1 };
    };
    const held = holdCall(doing, grant as unknown as Grant, twice, ({ callId, cause }) => told.push([callId, cause]));
    const { result } = await held.next(outer, { callId: newId() });
    const found = await findElsewhere(idIn(String(result["requestState"])), ownerOf(grant as unknown as Grant));
    found?.answer({ "question-1": { action: "accept" } });
    const last = newId();
    expect((await found?.next(outer, { callId: last }))?.result).toMatchObject({ resultType: "input_required" });
    kill();
    await expect.poll(() => told, patiently).toEqual([[last, "killed"]]);
    outer.release();
    await disconnect();
  });

  it("says what its server said when Redis was away just then, as soon as it is back", async () => {
    let disconnect = await connectSharedRedis(url);
    const grant = { identity: { tenantId: "t", actor: { id: "a" } }, server: { id: "s" }, ref: { tool: "do" } };
    const doing = { inFlight: { enter: () => () => undefined, size: () => 0, close: () => undefined } };
    const outer = startDeadline(60_000);
    let heard: (answer: unknown) => void = () => undefined;
    const reached = new Promise<unknown>((resolve) => (heard = resolve));
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const held = holdCall(doing, grant as unknown as Grant, async ({ dialogue }) => {
      heard(await dialogue.onRequest?.("elicitation/create", {}));
      await finished;
      return { result: { said: "this" }, bytes: 1 };
    });
    const { result } = await held.next(outer, {});
    const id = idIn(String(result["requestState"]));
    expect(await findElsewhere(id, "somebody else")).toBeNull();
    const found = await findElsewhere(id, ownerOf(grant as unknown as Grant));
    found?.answer({ "question-1": { action: "accept" } });
    const going = found?.next(outer, {});
    expect(await reached).toEqual({ action: "accept" });
    await disconnect();
    finish();
    await pause(500);
    disconnect = await connectSharedRedis(url);
    expect(await going).toEqual({ result: { said: "this" }, bytes: 1 });
    outer.release();
    await disconnect();
  });
});
