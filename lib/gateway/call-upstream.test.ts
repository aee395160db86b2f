import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { AppError } from "@/lib/core/errors";
import { singleton } from "@/lib/core/singleton";
import type { Grant } from "@/lib/gateway/authorize";
import { callUpstream } from "@/lib/gateway/call-upstream";
import { type Circuits, makeCircuits } from "@/lib/gateway/circuits";
import type { DurableIntent, Notes } from "@/lib/gateway/durable-intent";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { ToolCall } from "@/lib/gateway/tool-call";
import { unreachable } from "@/lib/mcp/upstream/faults";
import type { UpstreamAnswer, UpstreamRequest } from "@/lib/mcp/upstream/protocol";
import { untilStopped } from "@/lib/mcp/upstream/until-stopped";
import { type CircuitPolicy, SEED_POLICY } from "@/lib/resilience/circuit";
import type { RegisteredServer } from "@/lib/servers/registered-server";

const [TENANT, SLUG, DEADLINE_MS] = ["t1", "files", 1_000];
const ANSWER = { result: { content: [] }, bytes: 1 };

type Given = { readonly maxConcurrent?: number; readonly policy?: Partial<CircuitPolicy> };

const serverWith = ({ maxConcurrent = 100, policy = {} }: Given): RegisteredServer =>
  ({
    ...{ tenantId: TENANT, id: "s1", slug: SLUG, version: "1", deadlineMs: DEADLINE_MS },
    pool: { maxConcurrent, maxQueued: 50, maxChildren: 1 },
    circuit: { policy: { ...SEED_POLICY, ...policy }, perTool: new Set(), override: null, generation: 0 },
  }) as unknown as RegisteredServer;

const grantTo = (server: RegisteredServer): Grant =>
  ({
    ...{ server, ref: { server: SLUG, tool: "read" }, identity: { tenantId: TENANT } },
    tool: { definition: { name: "read", inputSchema: {} } },
  }) as unknown as Grant;

let circuits: Circuits;
/** The servers that agents may reach now; null while it is the one that is called. */
let enabled: readonly RegisteredServer[] | null;
beforeEach(() => {
  vi.useFakeTimers();
  circuits = makeCircuits();
  enabled = null;
  slowRead = null;
  noted = [];
  intentWritten = async () => undefined;
});
afterEach(() => {
  circuits.close();
  vi.useRealTimers();
});

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** How long our own trail takes before the server is asked. */
let intentWritten: () => Promise<void>;
/** What the outcome will say besides. */
let noted: Notes[];
/** What of our own is read from a database that takes longer than the server may. */
let slowRead: string | null;
const lateWhere = <T>(what: string, value: T) =>
  slowRead === what ? sleep(1.5 * DEADLINE_MS).then(() => value) : value;
const nextTry = (error: AppError, retryNo: number) => (retryNo === 0 && isRetried(error) ? 100 : null);
type Server = (request: UpstreamRequest, version: string) => Promise<UpstreamAnswer>;
const isRetried = ({ code }: AppError) => code === "upstream_unreachable";

/** One call after the other, each on the road that a real one takes from its place on; how it ended, in one word. */
async function call(server: RegisteredServer, request: Server, asked: Partial<ToolCall> = {}): Promise<string> {
  const gateway = {
    upstreams: {
      of: ({ version }: RegisteredServer) => ({ request: (asks: UpstreamRequest) => request(asks, version) }),
    },
    inFlight: { enter: () => () => undefined },
    killSwitches: () => lateWhere("killSwitches", { size: 0 }),
    retries: { begin: () => lateWhere("handling", nextTry) },
    servers: () => new Map((enabled ?? [server]).map((each) => [each.slug, each])),
  } as unknown as GatewayDeps;
  try {
    const passage = await circuits.enter(grantTo(server));
    await intentWritten();
    const intent = { passage, note: (notes: Notes) => noted.push(notes), trace: null } as unknown as DurableIntent;
    await callUpstream(gateway, intent, asked as ToolCall);
    return "ok";
  } catch (cause) {
    return String((cause as { code?: string }).code);
  }
}

const answersAfter =
  (ms: number): Server =>
  ({ deadline }) =>
    untilStopped(new Promise((resolve) => setTimeout(() => resolve(ANSWER), ms)), deadline);

it("gives the server its whole deadline however long the call waited for a place: one that is only busy stays in use", async () => {
  const server = serverWith({ maxConcurrent: 1 });
  const ends: Promise<string>[] = [];
  for (let sent = 0; sent < 60; sent += 1) {
    ends.push(call(server, answersAfter(300)));
    await vi.advanceTimersByTimeAsync(100);
  }
  await vi.advanceTimersByTimeAsync(3 * DEADLINE_MS);
  const codes = await Promise.all(ends);
  expect(new Set(codes)).toEqual(new Set(["ok", "overloaded"]));
  expect(codes.filter((code) => code === "ok").length).toBeGreaterThan(15);
  expect(circuits.views(TENANT).get(SLUG)?.kind).toBe("closed");
});

it("still counts a server that hangs behind its queue", async () => {
  const server = serverWith({ maxConcurrent: 1 });
  const ends: Promise<string>[] = [];
  for (let sent = 0; sent < 60; sent += 1) {
    ends.push(call(server, answersAfter(60_000)));
    await vi.advanceTimersByTimeAsync(200);
  }
  await vi.advanceTimersByTimeAsync(3 * DEADLINE_MS);
  expect((await Promise.all(ends)).filter((code) => code === "upstream_timeout").length).toBe(5);
  expect(circuits.views(TENANT).get(SLUG)?.kind).toBe("open");
});

/** One call holds the only place for 300 ms; the others wait behind it while the server is changed. */
async function changedInTheQueue(server: RegisteredServer, changed: readonly RegisteredServer[]) {
  const reached: string[] = [];
  const request: Server = (asks, version) => {
    reached.push(version);
    return answersAfter(300)(asks, version);
  };
  const ends = Array.from({ length: 3 }, () => call(server, request));
  await vi.advanceTimersByTimeAsync(100);
  enabled = changed;
  await vi.advanceTimersByTimeAsync(DEADLINE_MS);
  return { codes: await Promise.all(ends), reached };
}

it("asks a server nothing more once it is disabled or tripped, and the new one where it was changed", async () => {
  const server = serverWith({ maxConcurrent: 1 });
  const tripped = { ...server, circuit: { ...server.circuit, override: "forced-open" as const } };
  const another = { ...server, id: "s2" };
  for (const [changed, code] of [
    [[], "server_disabled"],
    [[another], "server_disabled"],
    [[tripped], "circuit_open"],
  ] as const) {
    expect(await changedInTheQueue(server, changed)).toEqual({ codes: ["ok", code, code], reached: ["1"] });
    enabled = null;
  }
  const rotated = await changedInTheQueue(server, [{ ...server, version: "2" }]);
  expect(rotated).toEqual({ codes: ["ok", "ok", "ok"], reached: ["1", "2", "2"] });
});

it("does not try again at a server that was disabled meanwhile", async () => {
  let asked = 0;
  const request: Server = async () => {
    asked += 1;
    throw unreachable("connection reset");
  };
  const end = call(serverWith({}), request);
  await vi.advanceTimersByTimeAsync(50);
  enabled = [];
  await vi.advanceTimersByTimeAsync(200);
  expect([await end, asked, noted]).toEqual(["server_disabled", 1, []]);
});

it.each([
  ["leaves", "cancelled", []],
  ["stays", "upstream_unreachable", [{ retryNo: 1 }]],
])("says in the outcome that it was tried again only where it was: the caller %s", async (what, code, notes) => {
  let asked = 0;
  const request: Server = ({ deadline }) => {
    if (deadline.stopped() !== null) return untilStopped(new Promise(() => undefined), deadline);
    asked += 1;
    return Promise.reject(unreachable("connection reset"));
  };
  const caller = new AbortController();
  const end = call(serverWith({}), request, { signal: caller.signal });
  await vi.advanceTimersByTimeAsync(50);
  if (what === "leaves") caller.abort();
  await vi.advanceTimersByTimeAsync(200);
  expect([await end, asked, noted]).toEqual([code, 1 + notes.length, notes]);
});

it("does not hold against a server what ended because it was disabled, or changed", async () => {
  const server = serverWith({});
  for (const [now, code] of [
    [[], "server_disabled"],
    [[{ ...server, version: "2" }], "upstream_unreachable"],
  ] as const) {
    // Ended by us, as calls are when their connections are closed.
    const request: Server = async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      throw unreachable("it was closed");
    };
    enabled = null;
    const ends = Array.from({ length: 6 }, () => call(server, request));
    await vi.advanceTimersByTimeAsync(50);
    enabled = now;
    await vi.advanceTimersByTimeAsync(500);
    expect(new Set(await Promise.all(ends))).toEqual(new Set([code]));
    expect(circuits.views(TENANT).get(SLUG)).toMatchObject({ kind: "closed", consecutiveFailures: 0 });
  }
});

const SLOW = { policy: { slowMs: 50, minimumCalls: 5 } };

/** Of another server each time: how its circuit stands afterwards. */
async function fiveCalls(version: string, request: Server, asked: Partial<ToolCall> = {}): Promise<string | undefined> {
  for (let done = 0; done < 5; done += 1) {
    const end = call({ ...serverWith(SLOW), version }, request, asked);
    await vi.advanceTimersByTimeAsync(500);
    expect(await end).toBe("ok");
  }
  return circuits.views(TENANT).get(SLUG)?.kind;
}

it("finds a server slow by its own time, not by our database's or that of a person who is asked", async () => {
  intentWritten = () => sleep(80);
  expect(await fiveCalls("1", answersAfter(10))).toBe("closed");
  const onRequest = async () => {
    await sleep(80);
    return {};
  };
  const client = { capabilities: { elicitation: {} }, takesInputRequests: false, retry: null, dialogue: { onRequest } };
  const asks: Server = async ({ dialogue }) => {
    await dialogue?.onRequest?.("elicitation/create", {});
    return ANSWER;
  };
  const variants = singleton("gateway.interactive-upstreams", () => new Map<string, unknown>());
  variants.set(JSON.stringify(client.capabilities), { of: () => ({ request: asks }) });
  expect(await fiveCalls("2", asks, { client })).toBe("closed");
  intentWritten = async () => undefined;
  expect(await fiveCalls("3", answersAfter(80))).toBe("open");
});

it.each(["killSwitches", "handling"])(
  "holds nothing against a server that it has not asked yet: %s answers late",
  async (late) => {
    slowRead = late;
    const request: Server = answersAfter(DEADLINE_MS / 2);
    const ends = Array.from({ length: 6 }, () => call(serverWith({}), request));
    await vi.advanceTimersByTimeAsync(10 * DEADLINE_MS);
    expect(new Set(await Promise.all(ends))).toEqual(new Set(["ok"]));
    expect(circuits.views(TENANT).get(SLUG)).toMatchObject({ kind: "closed", consecutiveFailures: 0 });
  },
);
