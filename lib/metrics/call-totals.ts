import type { FinishedCall } from "@/lib/metrics/call-cells";

/** Upper bounds (ms) of the buckets that outside tools get; fixed, because they compare processes and releases by them. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000,
];
const TRAIL_BOUNDS_MS: readonly number[] = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000];

/** A histogram with fixed bounds. `counts` has one place more than `bounds`: what is above all of them. */
export type FixedHistogram = {
  readonly boundsMs: readonly number[];
  readonly counts: number[];
  sumMs: number;
};

const makeHistogram = (boundsMs: readonly number[]): FixedHistogram => ({
  boundsMs,
  counts: new Array<number>(boundsMs.length + 1).fill(0),
  sumMs: 0,
});

function observe(histogram: FixedHistogram, ms: number): void {
  const { boundsMs, counts } = histogram;
  let place = 0;
  while (place < boundsMs.length && ms > (boundsMs[place] ?? 0)) place += 1;
  counts[place] = (counts[place] ?? 0) + 1;
  histogram.sumMs += ms;
}

const bump = (counts: Map<string, number>, name: string): void => {
  counts.set(name, (counts.get(name) ?? 0) + 1);
};

/** All calls of this process since its start, without names: for counters that only ever go up. */
export function makeCallTotals() {
  const outcomes = new Map<string, number>();
  const errors = new Map<string, number>();
  const latency = makeHistogram(LATENCY_BOUNDS_MS);
  const upstream = makeHistogram(LATENCY_BOUNDS_MS);
  const trailWait = makeHistogram(TRAIL_BOUNDS_MS);
  let cacheHits = 0;
  return {
    add(call: FinishedCall): void {
      bump(outcomes, call.outcome);
      if (call.code !== null && call.outcome !== "success") bump(errors, call.code);
      if (call.fate === "finished") {
        observe(latency, call.durationMs);
        if (call.fromCache) cacheHits += 1;
        else observe(upstream, call.upstreamMs);
      }
      observe(trailWait, call.outcomeMs);
    },
    read: () => ({ outcomes, errors, latency, upstream, trailWait, cacheHits }),
  };
}
