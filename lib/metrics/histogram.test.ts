import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addDuration,
  bucketMs,
  bucketOf,
  type Histogram,
  mergeHistograms,
  percentileMs,
} from "@/lib/metrics/histogram";
import { measureSpread, SPREADS, worstError } from "@/lib/testing/durations";

const ms = fc.double({ min: 0.001, max: 900_000_000, noNaN: true });

const histogramOf = (durations: readonly number[]): Histogram => {
  const histogram: Histogram = new Map();
  for (const duration of durations) addDuration(histogram, duration);
  return histogram;
};

describe("a bucket", () => {
  it("is told within one percent of everything in it", () => {
    fc.assert(
      fc.property(ms, (duration) => {
        expect(Math.abs(bucketMs(bucketOf(duration)) - duration) / duration).toBeLessThanOrEqual(0.01);
      }),
      { numRuns: 5_000 },
    );
  });

  it("never goes down as durations go up", () => {
    fc.assert(fc.property(ms, ms, (left, right) => left > right || bucketOf(left) <= bucketOf(right)));
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("is there for %s too", (strange) => {
    expect(Number.isFinite(bucketMs(bucketOf(strange)))).toBe(true);
  });
});

describe("percentiles", () => {
  it("are within one percent of the exact ones, by nearest rank", () => {
    fc.assert(
      fc.property(
        fc.array(ms, { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (all, p) => {
          const sorted = [...all].sort((left, right) => left - right);
          const exact = sorted[Math.max(1, Math.ceil(p * sorted.length)) - 1] ?? Number.NaN;
          const told = percentileMs(histogramOf(all), p) ?? Number.NaN;
          expect(Math.abs(told - exact) / exact).toBeLessThanOrEqual(0.01);
        },
      ),
    );
  });

  it("are the same however the durations were split and merged", () => {
    fc.assert(
      fc.property(fc.array(ms), fc.array(ms), fc.array(ms), (one, two, three) => {
        const whole = histogramOf([...one, ...two, ...three]);
        const merged = mergeHistograms([mergeHistograms([histogramOf(three), histogramOf(one)]), histogramOf(two)]);
        expect(new Map([...merged].sort())).toEqual(new Map([...whole].sort()));
      }),
    );
  });

  it("are null where nothing was counted", () => {
    expect(percentileMs(new Map(), 0.5)).toBeNull();
  });

  // A million of each in histogram.long.test.ts.
  it.each(Object.keys(SPREADS))(
    "of 100,000 durations, %s, agree in minutes, over two processes and in hours",
    (name) => {
      const { whole, merged, hours } = measureSpread(name, 100_000);
      expect(worstError(whole)).toBeLessThanOrEqual(0.01);
      expect(worstError(merged)).toBeLessThanOrEqual(0.01);
      for (const hour of hours) expect(worstError(hour)).toBeLessThanOrEqual(0.01);
    },
  );
});
