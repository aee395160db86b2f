import { afterEach, describe, expect, it, vi } from "vitest";
import { type Limited, makeRateLimits, type SharedCounts } from "@/lib/gateway/rate-limits";
import { type Bucket, rateOf, refill, waitMs } from "@/lib/resilience/token-bucket";

const limited = (scope: Limited["scope"], perSecond: number): Limited => ({
  scope,
  key: scope,
  rate: rateOf(perSecond),
});
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What Redis does, in memory. */
function sharedBuckets(now: () => number) {
  const buckets = new Map<string, Bucket>();
  const state = { up: true, asked: 0 };
  const counts: SharedCounts = {
    ready: () => state.up,
    async take(key, rate, want) {
      state.asked += 1;
      await Promise.resolve();
      if (!state.up) throw new Error("away");
      const bucket = buckets.get(key) ?? { tokens: rate.burst, at: now() };
      buckets.set(key, bucket);
      const given = Math.min(want, Math.floor(refill(bucket, rate, now())));
      bucket.tokens -= given;
      return {
        given,
        left: Math.floor(bucket.tokens),
        waitMs: given === 0 ? Math.max(1, waitMs(bucket.tokens, 1, rate)) : 0,
      };
    },
  };
  return { state, counts };
}

/** Offers four times the limit for some seconds of made-up time, in turn to each of `limits`; how many passed. */
async function offer(
  each: readonly { readonly spend: ReturnType<typeof makeRateLimits>["spend"] }[],
  clock: { at: number },
  seconds: number,
  agent = limited("agent", 100),
): Promise<number> {
  let passed = 0;
  for (const end = clock.at + seconds * 1_000; clock.at < end; clock.at += 2.5) {
    for (const { spend } of each) if ((await spend([agent])).ok) passed += 1;
  }
  return passed;
}

afterEach(() => void vi.useRealTimers());

describe("limits of one process", () => {
  it("let through what they say, within one percent over ten seconds", async () => {
    const clock = { at: 1_000_000, now: () => clock.at };
    const limits = makeRateLimits({ clock, processes: () => 1, shared: null });
    const passed = await offer([limits], clock, 10);
    expect(passed).toBeGreaterThanOrEqual(1_000);
    expect(passed).toBeLessThanOrEqual(1_010);
  });

  it("count against none when one of them is used up, and say which and for how long", async () => {
    const clock = { now: () => 0 };
    const { spend } = makeRateLimits({ clock, processes: () => 1, shared: null });
    const [agent, tenant] = [limited("agent", 100), limited("tenant", 5)];
    for (let call = 0; call < 5; call += 1) expect(await spend([agent, tenant])).toMatchObject({ ok: true });
    for (let call = 0; call < 20; call += 1) {
      expect(await spend([agent, tenant])).toMatchObject({
        ok: false,
        state: { scope: "tenant", limit: 5, remaining: 0 },
        retryAfterMs: 200,
      });
    }
    // The agent's own ten were spent by five calls only.
    const alone = await spend([agent]);
    expect(alone).toMatchObject({ ok: true, state: { scope: "agent", limit: 100, remaining: 4 } });
  });

  it("is a part of the whole when several processes have no common counts", async () => {
    const clock = { at: 1_000_000, now: () => clock.at };
    const four = [0, 1, 2, 3].map(() => makeRateLimits({ clock, processes: () => 4, shared: null }));
    expect(await offer(four, clock, 10)).toBeLessThanOrEqual(1_020);
  });

  it("cost little: three buckets in a few microseconds", async () => {
    const { spend } = makeRateLimits({ clock: { now: () => Date.now() }, processes: () => 1, shared: null });
    const three = [limited("agent", 1e6), limited("tenant", 1e6), limited("global", 1e6)];
    for (let call = 0; call < 20_000; call += 1) void spend(three);
    const before = process.cpuUsage();
    for (let call = 0; call < 100_000; call += 1) void spend(three);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 100_000).toBeLessThan(20);
  });
});

describe("limits of several processes with common counts", () => {
  it("hold over all of them", async () => {
    const clock = { at: 1_000_000, now: () => clock.at };
    const { counts } = sharedBuckets(clock.now);
    const two = [0, 1].map(() => makeRateLimits({ clock, processes: () => 2, shared: counts }));
    const passed = await offer(two, clock, 10);
    expect(passed).toBeGreaterThanOrEqual(950);
    expect(passed).toBeLessThanOrEqual(1_020);
  });

  it("refuse no longer than the common bucket is empty when the time of day is set back", async () => {
    vi.useFakeTimers({ toFake: ["Date", "performance"] });
    let taken = { given: 0, left: 0, waitMs: 50 };
    const shared: SharedCounts = { ready: () => true, take: async () => taken };
    const { spend } = makeRateLimits({ processes: () => 1, shared });
    expect((await spend([limited("agent", 10)])).ok).toBe(false);
    taken = { given: 1, left: 5, waitMs: 0 };
    vi.setSystemTime(Date.now() - 3_600_000);
    vi.advanceTimersByTime(51);
    expect((await spend([limited("agent", 10)])).ok).toBe(true);
  });

  it("ask seldom under load", async () => {
    const clock = { at: 1_000_000, now: () => clock.at };
    const { counts, state } = sharedBuckets(clock.now);
    const { spend } = makeRateLimits({ clock, processes: () => 1, shared: counts });
    for (let call = 0; call < 10_000; call += 1) {
      clock.at += 0.2;
      await spend([limited("global", 50_000)]);
    }
    // Two seconds at 5,000 calls/s, with leases of 50 ms.
    expect(state.asked).toBeLessThan(100);
  });

  it("fall to a share when the counts are lost in flight, never to none, and rise again", async () => {
    const clock = { at: 1_000_000, now: () => clock.at };
    const { counts, state } = sharedBuckets(clock.now);
    const two = [0, 1].map(() => makeRateLimits({ clock, processes: () => 2, shared: counts }));
    await offer(two, clock, 2);
    state.up = false;
    const alone = await offer(two, clock, 10);
    expect(alone).toBeGreaterThanOrEqual(950);
    expect(alone).toBeLessThanOrEqual(1_020);
    state.up = true;
    const again = await offer(two, clock, 10);
    expect(again).toBeGreaterThanOrEqual(950);
    expect(again).toBeLessThanOrEqual(1_020);
  });

  it.each([
    ["answers nothing", () => true],
    ["comes and goes", (at: number) => Math.floor(at / 700) % 2 === 0],
  ])("hold for a small limit, too, while the common place %s", async (_how, isReady) => {
    const clock = { at: 1_000_000, now: () => clock.at };
    const counts: SharedCounts = {
      ready: () => isReady(clock.at),
      take: () => Promise.reject(new Error("no answer")),
    };
    const four = [0, 1, 2, 3].map(() => makeRateLimits({ clock, processes: () => 4, shared: counts }));
    const passed = await offer(four, clock, 60, limited("agent", 1));
    // Each begins with one call, so that the loss refuses nobody, and then keeps to its quarter.
    expect(passed).toBeGreaterThanOrEqual(56);
    expect(passed).toBeLessThanOrEqual(64);
  });

  it("serve those who were waiting when the counts went away", async () => {
    let fail: (cause: Error) => void = () => undefined;
    const counts: SharedCounts = {
      ready: () => true,
      take: () =>
        new Promise((_, reject) => {
          fail = reject;
        }),
    };
    const { spend } = makeRateLimits({ clock: { now: () => Date.now() }, processes: () => 2, shared: counts });
    const waiting = spend([limited("agent", 100)]);
    await pause(5);
    fail(new Error("cut off"));
    expect(await waiting).toMatchObject({ ok: true });
  });
});
