import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeTrail, type Trail } from "@/lib/audit/trail";
import { newId } from "@/lib/core/ids";
import { entryDraft } from "@/lib/testing/entry-draft";
import { LIMITS, memoryStore, REFUSED } from "@/lib/testing/memory-trail";

const { payload: _, ...plain } = entryDraft(newId());
const intent = () =>
  ({ ...plain, callId: newId(), phase: "intent", eventType: "tool_call.started", outcome: "pending" }) as const;

let store: ReturnType<typeof memoryStore>;
let trail: Trail;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "performance", "setImmediate"] });
  store = memoryStore();
  trail = makeTrail(store, LIMITS);
});
afterEach(async () => {
  await trail.close();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const written = () => store.written.map(({ draft }) => draft.eventType);

describe("the last word on a call", () => {
  it("stays that it was refused before anything was called, when writing that fails as well", async () => {
    store.state.loseAnswers = 1;
    const refused = expect(trail.append(intent())).rejects.toMatchObject(REFUSED);
    await vi.advanceTimersByTimeAsync(10);
    store.state.down = true;
    await vi.advanceTimersByTimeAsync(1_500);
    await refused;
    store.state.down = false;
    await vi.advanceTimersByTimeAsync(200);
    expect(trail.status()).toMatchObject({ openCalls: 1, queued: 0 });
    // Now the last word meets another outage, longer than its patience.
    store.state.down = true;
    await vi.advanceTimersByTimeAsync(3_500);
    store.state.down = false;
    await vi.advanceTimersByTimeAsync(2_500);
    expect(written()).toEqual(["tool_call.started", "tool_call.refused"]);
    expect(trail.status()).toMatchObject({ openCalls: 0 });
  });
});

it("says that calls are open since the earliest of their intents, even after the clock was set back", async () => {
  const append = async () => {
    const appended = trail.append(intent());
    await vi.advanceTimersByTimeAsync(10);
    await appended;
  };
  await append();
  const real = Date.now;
  vi.spyOn(Date, "now").mockImplementation(() => real() - 600_000);
  await append();
  vi.mocked(Date.now).mockRestore();
  const times = store.written.map(({ ts }) => new Date(ts).getTime());
  expect(times[0]).toBeGreaterThan(times[1] ?? 0);
  expect(trail.openSince()).toBe(times[1]);
});
