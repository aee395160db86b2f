/** How many second tries may be added to the calls of the last seconds, so that retries never multiply an outage. */
export type RetryBudget = {
  readonly noteCall: () => void;
  /** Takes one second try out of the budget, or says no. */
  readonly take: () => boolean;
};

export type RetryBudgetOptions = {
  readonly now: () => number;
  readonly windowMs?: number;
  /** Part of the window's calls. */
  readonly share?: number;
  /** Allowed within the window whatever the number of calls, so that a quiet server is retried too. */
  readonly atLeast?: number;
};

const SLOTS = 10;

/** A sliding window of ten slots. */
export function makeRetryBudget(options: RetryBudgetOptions): RetryBudget {
  const { now, windowMs = 10_000, share = 0.1, atLeast = 3 } = options;
  const slotMs = windowMs / SLOTS;
  const calls = new Array<number>(SLOTS).fill(0);
  const retries = new Array<number>(SLOTS).fill(0);
  let newest = Math.floor(now() / slotMs);

  function slot(): number {
    const current = Math.floor(now() / slotMs);
    for (let past = Math.max(newest + 1, current - SLOTS + 1); past <= current; past += 1) {
      calls[past % SLOTS] = 0;
      retries[past % SLOTS] = 0;
    }
    newest = Math.max(newest, current);
    return newest % SLOTS;
  }
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

  return {
    noteCall() {
      const at = slot();
      calls[at] = (calls[at] ?? 0) + 1;
    },
    take() {
      const at = slot();
      const used = sum(retries);
      if (used + 1 > Math.max(atLeast, sum(calls) * share)) return false;
      retries[at] = (retries[at] ?? 0) + 1;
      return true;
    },
  };
}
