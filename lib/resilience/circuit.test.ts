import { describe, expect, it } from "vitest";
import {
  admit,
  type CircuitPolicy,
  type CircuitState,
  CLOSED,
  override,
  retryAfterMs,
  SEED_POLICY,
  settle,
  type Vote,
} from "@/lib/resilience/circuit";
import { mergeWindows, totals } from "@/lib/resilience/circuit-window";
import { checkCircuitAgainstModel } from "@/lib/testing/circuit-model";

const at = (now: number, random = 0.5) => ({ now, random });

function run(state: CircuitState, vote: Vote, now: number, tookMs = 1, policy: CircuitPolicy = SEED_POLICY) {
  const admission = admit(state, policy, now);
  if (admission === null) throw new Error("refused");
  return settle(admission.state, policy, admission.ticket, { vote, tookMs }, at(now));
}
const times = (count: number, state: CircuitState, vote: Vote, now: number, tookMs = 1): CircuitState =>
  Array.from({ length: count }).reduce<CircuitState>((each) => run(each, vote, now, tookMs), state);

/** `pattern`: one letter per call, f for failure and s for success. */
const play = (pattern: string, state: CircuitState, now: number, policy = SEED_POLICY): CircuitState =>
  [...pattern].reduce<CircuitState>(
    (each, letter) => run(each, letter === "f" ? "failure" : "success", now, 1, policy),
    state,
  );

describe("circuit", () => {
  it("opens at the fifth failure in a row, not the fourth", () => {
    expect(times(4, CLOSED, "failure", 0).kind).toBe("closed");
    expect(times(5, CLOSED, "failure", 0)).toMatchObject({
      kind: "open",
      until: 60_000,
      cause: "consecutive_failures",
    });
  });

  it("starts counting again after a success; an abstention changes nothing", () => {
    const four = times(4, CLOSED, "failure", 0);
    expect(run(run(four, "success", 0), "failure", 0).kind).toBe("closed");
    expect(run(run(four, "abstain", 0), "failure", 0).kind).toBe("open");
  });

  it("opens below the success rate, once there are enough calls within the window", () => {
    // 15 of 19 is too few calls to judge; 16 of 20 is exactly the threshold; 16 of 21 is below it.
    const enough = play("sssfsssfsssfsssfssss", CLOSED, 0);
    expect(enough.kind).toBe("closed");
    expect(play("f", enough, 0)).toMatchObject({ kind: "open", cause: "success_rate" });
    expect(play("f", enough, 70_000).kind).toBe("closed");
    const strict = { ...SEED_POLICY, successRate: 0.95 };
    expect(play("ssssssssssssssssssf", CLOSED, 0, strict).kind).toBe("closed");
    expect(play("ssssssssssssssssssff", CLOSED, 0, strict)).toMatchObject({ cause: "success_rate" });
  });

  it("opens when four of five calls are slow, although they succeed", () => {
    const fast = times(4, CLOSED, "success", 0);
    expect(times(16, fast, "success", 0, 5_000).kind).toBe("closed");
    expect(times(16, fast, "success", 0, 5_001)).toMatchObject({ kind: "open", cause: "slow_rate" });
  });

  it("lets at most three trial calls through after the rest, and three successes close it", () => {
    const open = times(5, CLOSED, "failure", 0);
    expect(admit(open, SEED_POLICY, 59_999)).toBeNull();
    expect(retryAfterMs(open, 20_000)).toBe(40_000);
    let state: CircuitState = open;
    const tickets = [];
    for (let trial = 0; trial < 3; trial++) {
      const admission = admit(state, SEED_POLICY, 60_000);
      if (admission === null) throw new Error("refused");
      state = admission.state;
      tickets.push(admission.ticket);
    }
    expect(admit(state, SEED_POLICY, 60_000)).toBeNull();
    // A trial whose process died gives its place back when its lease ends, and has no vote then.
    expect(admit(state, SEED_POLICY, 60_000 + SEED_POLICY.trialLeaseMs)).not.toBeNull();
    const good = { vote: "success", tookMs: 1 } as const;
    for (const ticket of tickets) state = settle(state, SEED_POLICY, ticket, good, at(60_001));
    expect(state.kind).toBe("closed");
  });

  it("opens again at one failed trial, for twice as long, and gives the late trials no vote", () => {
    let state = times(5, CLOSED, "failure", 0);
    const first = admit(state, SEED_POLICY, 60_000);
    const second = first && admit(first.state, SEED_POLICY, 60_000);
    if (!first || !second) throw new Error("refused");
    const bad = { vote: "failure", tookMs: 1 } as const;
    state = settle(second.state, SEED_POLICY, first.ticket, bad, at(60_010));
    expect(state).toMatchObject({ kind: "open", until: 60_010 + 120_000, cause: "trial_failed" });
    expect(settle(state, SEED_POLICY, second.ticket, { vote: "success", tookMs: 1 }, at(60_020))).toBe(state);
    const rests: number[] = [];
    for (let round = 0; round < 4 && state.kind === "open"; round += 1) {
      const now: number = state.until;
      state = run(state, "failure", now);
      if (state.kind === "open") rests.push(state.until - now);
    }
    expect(rests).toEqual([240_000, 480_000, 600_000, 600_000]);
  });

  it("spreads the recovery by a tenth both ways", () => {
    const four = times(4, CLOSED, "failure", 0);
    const rest = (random: number) => {
      const admission = admit(four, SEED_POLICY, 0);
      if (admission === null) throw new Error("refused");
      return settle(four, SEED_POLICY, admission.ticket, { vote: "failure", tookMs: 1 }, at(0, random));
    };
    expect([rest(0), rest(0.5), rest(1)].map((state) => state.kind === "open" && state.until)).toEqual([
      54_000, 60_000, 66_000,
    ]);
  });

  it("obeys a person: tripped it lets nothing through, disabled everything, and returned it starts anew", () => {
    const tripped = override(CLOSED, "forced-open");
    expect(admit(tripped, SEED_POLICY, 1e12)).toBeNull();
    expect(retryAfterMs(tripped, 0)).toBeNull();
    const disabled = override(times(5, CLOSED, "failure", 0), "disabled");
    expect(times(50, disabled, "failure", 0)).toBe(disabled);
    expect(override(disabled, null)).toMatchObject({ kind: "closed", consecutiveFailures: 0 });
    const open = times(5, CLOSED, "failure", 0);
    expect(override(open, null)).toBe(open);
  });

  it("adds up windows slice by slice", () => {
    const one = play("sf", CLOSED, 0);
    const other = play("sssf", play("f", CLOSED, 0), 30_000);
    if (one.kind !== "closed" || other.kind !== "closed") throw new Error("opened");
    const merged = mergeWindows(one.window, other.window);
    expect(merged).toHaveLength(2);
    expect(totals(merged, 60_000, 30_000)).toEqual({ calls: 7, failures: 3, slow: 0 });
    expect(totals(merged, 60_000, 61_000)).toEqual({ calls: 4, failures: 1, slow: 0 });
  });

  it.each([
    ["its length is changed to look further back", { ...SEED_POLICY, windowMs: 120_000 }, 0],
    ["the clock is set back", SEED_POLICY, -3_600_000],
  ])("goes on counting when %s", (_what, policy, stepMs) => {
    const start = Date.UTC(2026, 0, 1);
    const healthy = times(100, CLOSED, "success", start);
    const counting = play("s", healthy, start + stepMs, policy);
    expect(counting.kind === "closed" && totals(counting.window, policy.windowMs, start + stepMs).calls).toBe(1);
    expect(play(`${"fs".repeat(9)}f`, counting, start + stepMs + 1_000, policy)).toMatchObject({
      cause: "success_rate",
    });
  });

  it("agrees with a model that looks back over the log", () => {
    checkCircuitAgainstModel(10_000);
  }, 30_000);
});
