import { afterEach, describe, expect, it, vi } from "vitest";
import type { EntryDraft } from "@/lib/audit/entry";
import { bus } from "@/lib/core/bus";
import { AppError } from "@/lib/core/errors";
import type { Grant } from "@/lib/gateway/authorize";
import { type Circuits, type CircuitsOptions, makeCircuits } from "@/lib/gateway/circuits";
import type { CircuitStore } from "@/lib/gateway/shared-state/circuit-store";
import { byClockAhead, type CircuitState, SEED_POLICY } from "@/lib/resilience/circuit";
import type { RegisteredServer } from "@/lib/servers/registered-server";

const [TENANT, SLUG] = ["t1", "files"];

type Given = { readonly perTool?: readonly string[]; readonly generation?: number; readonly version?: string };

const serverWith = ({ perTool = [], generation = 0, version = "1" }: Given): RegisteredServer =>
  ({
    ...{ tenantId: TENANT, id: "s1", slug: SLUG, version, deadlineMs: 1_000 },
    pool: { maxConcurrent: 10, maxQueued: 1, maxChildren: 1 },
    circuit: { policy: { ...SEED_POLICY, failureThreshold: 2 }, perTool: new Set(perTool), override: null, generation },
  }) as unknown as RegisteredServer;

const grantTo = (given: Given = {}, tool = "read"): Grant =>
  ({ server: serverWith(given), ref: { server: SLUG, tool } }) as unknown as Grant;

let circuits: Circuits;
let told: string[];
function start(options: CircuitsOptions = {}): Circuits {
  told = [];
  const record = async ({ eventType }: EntryDraft) => told.push(eventType);
  circuits = makeCircuits({ record, note: ({ state }) => told.push(state), ...options });
  return circuits;
}
afterEach(() => circuits.close());

const timedOut = () => new AppError("upstream_timeout", "The server did not answer in time.");
const view = () => circuits.views(TENANT).get(SLUG);

async function fail(given: Given = {}, times = 2): Promise<void> {
  for (let done = 0; done < times; done += 1) (await circuits.enter(grantTo(given))).leave("failure", timedOut());
}

describe("a circuit that was replaced", () => {
  it.each([
    ["by a person who began it anew", { generation: 1 }],
    ["by that of a server with another credential", { version: "2" }],
  ])("%s hears and tells nothing of the calls that were under way", async (_how, next) => {
    start();
    await fail({}, 1);
    const late = await circuits.enter(grantTo());
    circuits.review([serverWith(next)]);
    late.leave("failure", timedOut());
    expect(told).toEqual([]);
    expect(view()).toMatchObject({ kind: "closed", consecutiveFailures: 0 });
  });

  it("goes with its server at last, where nobody told us that it was retired", async () => {
    vi.useFakeTimers();
    let stored: RegisteredServer | null = serverWith({});
    start({ find: async () => stored });
    await fail({}, 1);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(view()).toMatchObject({ consecutiveFailures: 1 });
    stored = null;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(view()).toBeUndefined();
    vi.useRealTimers();
  });

  it("goes with its tool, once that has none of its own any more", async () => {
    start();
    await fail({ perTool: ["read"] });
    expect(view()?.tools).toMatchObject([{ tool: "read", kind: "open" }]);
    (await circuits.enter(grantTo())).leave("success");
    expect(view()).toMatchObject({ kind: "closed", tools: [], lastFailure: null });
  });
});

describe("a fault that ends many calls at once", () => {
  const enter = async (count: number, tool = "read") =>
    Promise.all(Array.from({ length: count }, async () => circuits.enter(grantTo({ perTool: ["write"] }, tool))));

  it("is one fault to each circuit, and the next one another", async () => {
    start();
    const calls = [...(await enter(5)), ...(await enter(5, "write"))];
    const fault = timedOut();
    for (const each of calls) each.leave("failure", fault);
    expect(view()).toMatchObject({ kind: "closed", consecutiveFailures: 1, windowCalls: 2, tools: [] });
    expect(view()?.lastFailure).toBe("upstream_timeout");
    const next = timedOut();
    for (const each of await enter(5)) each.leave("failure", next);
    expect(view()).toMatchObject({ kind: "open", tools: [] });
  });

  it("is told by a call that has a vote, where an older one was ended by it, too", async () => {
    let now = 0;
    start({ clock: { now: () => now } });
    const [late] = await enter(1);
    await fail({ perTool: ["write"] });
    now += 2 * SEED_POLICY.recoveryMs;
    const [trial] = await enter(1);
    const fault = timedOut();
    for (const each of [late, trial]) each?.leave("failure", fault);
    expect(view()).toMatchObject({ kind: "open", cause: "trial_failed" });
  });
});

/** What several processes share, by a clock that is ahead of theirs by what `aheadMs` says then. */
function sharedStore(aheadMs = () => 0, states = new Map<string, CircuitState>()): CircuitStore {
  const find = (key: string): CircuitState | null => {
    const found = states.get(key);
    return found === undefined ? null : byClockAhead(found, -aheadMs());
  };
  return {
    isShared: () => true,
    async change(key, from, step) {
      const shared = find(key) ?? from;
      const next = step(shared);
      if (next !== shared) states.set(key, byClockAhead(next, aheadMs()));
      return { state: next, won: next !== shared };
    },
    read: async (keys) => keys.map(find),
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a circuit that is open", () => {
  const HOUR = 3_600_000;
  afterEach(() => vi.useRealTimers());

  it.each([
    ["back", -HOUR],
    ["on", HOUR],
  ])("rests as long as it said when the time of day is set %s, which people read all the same", async (_way, step) => {
    vi.useFakeTimers();
    start({ random: () => 0.5 });
    await fail();
    vi.setSystemTime(Date.now() + step);
    expect(view()?.openUntil).toBe(new Date(Date.now() + SEED_POLICY.recoveryMs).toISOString());
    await vi.advanceTimersByTimeAsync(SEED_POLICY.recoveryMs - 1);
    expect(() => circuits.enter(grantTo())).toThrow("Try again in 1 s");
    await vi.advanceTimersByTimeAsync(1);
    expect(await circuits.enter(grantTo())).toMatchObject({ circuitState: "half-open" });
  });

  it.each([
    ["back", -HOUR],
    ["on", HOUR],
  ])("rests as long where it is known already and the clock of what all share is set %s", async (_way, step) => {
    vi.useFakeTimers();
    let ahead = 0;
    const opener = start({ random: () => 0.5, store: sharedStore(() => ahead) });
    await fail();
    await vi.advanceTimersByTimeAsync(1_000);
    ahead = step;
    await vi.advanceTimersByTimeAsync(SEED_POLICY.recoveryMs - 1_001);
    expect(() => opener.enter(grantTo())).toThrow("Try again in 1 s");
    await vi.advanceTimersByTimeAsync(1);
    expect(await opener.enter(grantTo())).toMatchObject({ circuitState: "half-open" });
  });
});

describe("a process", () => {
  it("keeps no circuit of a server that is gone, and knows at once what was decided about one that is not", async () => {
    let stored: RegisteredServer | null = serverWith({});
    start({ find: async () => stored });
    await fail({}, 1);
    const changed = async (): Promise<void> => {
      bus.publish({ topic: "server.changed", tenantId: TENANT, serverId: "s1" });
      await turn();
    };
    await changed();
    expect(view()).toMatchObject({ kind: "closed", consecutiveFailures: 1 });
    stored = { ...stored, circuit: { ...stored.circuit, override: "forced-open" } };
    await changed();
    expect(view()?.kind).toBe("forced-open");
    stored = null;
    await changed();
    expect([circuits.views(TENANT).size, circuits.seats(TENANT).size]).toEqual([0, 0]);
  });

  it("that begins lets no call through to a circuit that the others hold open", async () => {
    const store = sharedStore();
    const others = start({ store });
    await fail();
    await turn();
    start({ store });
    circuits.review([serverWith({})]);
    await turn();
    expect(() => circuits.enter(grantTo())).toThrow("left alone");
    others.close();
  });

  it("opens a circuit for all although another one has seen it open and close before, and the store forgot", async () => {
    vi.useFakeTimers();
    const states = new Map<string, CircuitState>();
    const store = sharedStore(() => 0, states);
    const elder = start({ store });
    await fail();
    await vi.advanceTimersByTimeAsync(2 * SEED_POLICY.recoveryMs);
    for (let trial = 0; trial < SEED_POLICY.successThreshold; trial += 1) {
      (await elder.enter(grantTo())).leave("success");
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(elder.views(TENANT).get(SLUG)?.kind).toBe("closed");
    // Nobody calls for a while; then Redis is begun anew, or has kept the state as long as it was asked to.
    await vi.advanceTimersByTimeAsync(3_600_000);
    states.clear();
    await vi.advanceTimersByTimeAsync(1_000);
    const younger = start({ store });
    younger.review([serverWith({})]);
    await vi.advanceTimersByTimeAsync(1);
    await fail();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(() => younger.enter(grantTo())).toThrow("left alone");
    expect(() => elder.enter(grantTo())).toThrow("left alone");
    elder.close();
    vi.useRealTimers();
  });

  it("lets a call in, and gives its place back, when whoever hears of the circuit fails", async () => {
    let now = 0;
    const clock = { now: () => now };
    for (const store of [undefined, sharedStore()]) {
      start({ clock, ...(store === undefined ? {} : { store }) });
      await fail();
      await turn();
      now += 2 * SEED_POLICY.recoveryMs;
      const forget = bus.subscribe(() => {
        throw new Error("a listener failed");
      });
      const passage = await circuits.enter(grantTo());
      expect(circuits.seats(TENANT).get(SLUG)).toMatchObject({ inUse: 1 });
      passage.leave("success");
      forget();
      expect(circuits.seats(TENANT).get(SLUG)).toMatchObject({ inUse: 0 });
      circuits.close();
    }
  });
});
