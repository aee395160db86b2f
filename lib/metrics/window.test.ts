import { describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "@/lib/metrics/segments";
import { bucketedWindow, bucketsOf, stateOf, windowOf } from "@/lib/metrics/window";

const NOW = Date.parse("2026-11-20T13:44:30Z");

describe("the time that is asked for", () => {
  it.each([
    ["15m", MINUTE_MS],
    ["1h", MINUTE_MS],
    ["6h", 5 * MINUTE_MS],
    ["24h", 15 * MINUTE_MS],
    ["7d", 2 * HOUR_MS],
    ["30d", DAY_MS],
  ] as const)("%s has buckets that people count in, whole ones", (range, bucketMs) => {
    const window = bucketedWindow({ range }, undefined, NOW);
    expect(window.bucketMs).toBe(bucketMs);
    expect(window.from % bucketMs).toBe(0);
    expect(windowOf({ range }, NOW)).toEqual({ from: window.from, to: NOW });
  });

  it("is kept to the minute where bounds are given", () => {
    const [from, to] = [Date.parse("2026-11-20T10:07:00Z"), Date.parse("2026-11-20T10:31:00Z")];
    expect(windowOf({ from, to, range: "30d" }, NOW)).toEqual({ from, to });
    const window = bucketedWindow({ from, to }, undefined, NOW);
    expect(window).toEqual({ from, to, bucketMs: MINUTE_MS });
    expect(bucketsOf(window)).toHaveLength(24);
  });

  it("has no shorter buckets than figures of that age are kept, nor more than can be told", () => {
    const old = { from: NOW - 20 * DAY_MS, to: NOW - 20 * DAY_MS + HOUR_MS };
    expect(bucketedWindow(old, MINUTE_MS, NOW).bucketMs).toBe(HOUR_MS);
    const older = { from: NOW - 200 * DAY_MS, to: NOW - 199 * DAY_MS };
    expect(bucketedWindow(older, undefined, NOW).bucketMs).toBe(DAY_MS);
    expect(bucketsOf(bucketedWindow({ range: "7d" }, MINUTE_MS, NOW)).length).toBeLessThanOrEqual(1_500);
  });
});

describe("a bucket without calls", () => {
  const known = { bucketMs: HOUR_MS, recordedFrom: NOW - 5 * HOUR_MS, now: NOW };
  it.each([
    ["is silence where calls were counted", NOW - 3 * HOUR_MS, known, "no_traffic"],
    ["is silence where counting began within it", NOW - 5.5 * HOUR_MS, known, "no_traffic"],
    ["is unknown before anything was counted", NOW - 7 * HOUR_MS, known, "not_recorded"],
    ["is unknown where nothing was counted yet", NOW - HOUR_MS, { ...known, recordedFrom: null }, "not_recorded"],
    ["is unknown where it has not come yet", NOW + 1, known, "not_recorded"],
  ] as const)("%s", (_, at, facts, state) => {
    expect(stateOf(at, 0, facts)).toBe(state);
    expect(stateOf(at, 1, facts)).toBe("traffic");
  });
});
