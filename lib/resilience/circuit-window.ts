/** What was counted within one slice of time. `at` is the number of the slice since the clock's zero, so that slices of several windows can be added up. */
export type Bucket = {
  readonly at: number;
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
};

/** The slices of the last while, oldest first. */
export type Window = readonly Bucket[];

export type Totals = Omit<Bucket, "at">;

/** A window slides by a twelfth of its length: fine enough to forget in time, coarse enough to cost nothing. */
const BUCKETS = 12;

export const EMPTY_WINDOW: Window = [];

const sliceOf = (now: number, windowMs: number): number => Math.floor((now * BUCKETS) / windowMs);

/** Counts one call; what is older than the window is forgotten. */
export function count(window: Window, windowMs: number, now: number, failed: boolean, slow: boolean): Window {
  const slice = sliceOf(now, windowMs);
  const last = window.at(-1);
  // Counted by another measure, or before the clock was set far back: it would stand in the future, and never end.
  if (last !== undefined && last.at - slice > BUCKETS) return count(EMPTY_WINDOW, windowMs, now, failed, slow);
  // A clock that was set back a little must not reorder the slices.
  const at = Math.max(slice, last?.at ?? 0);
  const same = last?.at === at;
  const next: Bucket = {
    at,
    calls: (same ? last.calls : 0) + 1,
    failures: (same ? last.failures : 0) + (failed ? 1 : 0),
    slow: (same ? last.slow : 0) + (slow ? 1 : 0),
  };
  if (!same) return [...window.filter((each) => each.at > at - BUCKETS), next];
  const copy = window.slice();
  copy[copy.length - 1] = next;
  return copy;
}

/** The sums over what lies within the window now. */
export function totals(window: Window, windowMs: number, now: number): Totals {
  const oldest = sliceOf(now, windowMs) - BUCKETS;
  let [calls, failures, slow] = [0, 0, 0];
  for (const each of window) {
    if (each.at <= oldest) continue;
    calls += each.calls;
    failures += each.failures;
    slow += each.slow;
  }
  return { calls, failures, slow };
}

/** Two windows of the same length as one. */
export function mergeWindows(one: Window, other: Window): Window {
  const merged = new Map<number, Bucket>();
  for (const each of [...one, ...other]) {
    const { calls, failures, slow } = merged.get(each.at) ?? { calls: 0, failures: 0, slow: 0 };
    merged.set(each.at, {
      at: each.at,
      calls: calls + each.calls,
      failures: failures + each.failures,
      slow: slow + each.slow,
    });
  }
  return [...merged.values()].sort((left, right) => left.at - right.at);
}
