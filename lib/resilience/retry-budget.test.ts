import { expect, it } from "vitest";
import { makeRetryBudget } from "@/lib/resilience/retry-budget";

it("never spends more than its share of any window of calls, nor less than the least", () => {
  let at = 0;
  const budget = makeRetryBudget({ now: () => at });
  const calls: number[] = [];
  const retries: number[] = [];
  let seed = 7;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  for (let step = 0; step < 50_000; step += 1) {
    at += random() < 0.01 ? random() * 8_000 : random() * 4;
    budget.noteCall();
    calls.push(at);
    // Every single call fails.
    const taken = budget.take();
    if (taken) retries.push(at);
    // The window is ten whole slots of a second, the current one begun.
    const from = (Math.floor(at / 1_000) - 9) * 1_000;
    while ((calls[0] ?? at) < from) calls.shift();
    while ((retries[0] ?? at) < from) retries.shift();
    if (taken) expect(retries.length).toBeLessThanOrEqual(Math.max(3, calls.length * 0.1));
  }
  expect(calls.length).toBeGreaterThan(0);
});

it("gives a quiet server its few second tries, and no more", () => {
  const budget = makeRetryBudget({ now: () => 0 });
  budget.noteCall();
  expect([1, 2, 3, 4].map(() => budget.take())).toEqual([true, true, true, false]);
});
