import { describe, expect, it } from "vitest";
import type { ChartPoint } from "@/components/charts/series";
import { bucketAt, emptyStretches, PLOT, placeBands, placeMarks, rangeOf } from "@/components/charts/time-axis";

const START = Date.parse("2026-11-20T14:00:00.000Z");
const MINUTE_MS = 60_000;
const iso = (minutes: number): string => new Date(START + minutes * MINUTE_MS).toISOString();
const points = (samples: readonly number[], gap?: string): readonly ChartPoint[] =>
  samples.map((count, index) => ({
    at: iso(index),
    samples: count,
    values: {},
    ...(gap !== undefined && count === 0 ? { gap } : {}),
  }));

describe("the bucket under the mouse", () => {
  const width = 600 + PLOT.left + PLOT.right;
  it("is counted from where the plot begins, and never lies outside of it", () => {
    expect(
      [0, PLOT.left, PLOT.left + 99, PLOT.left + 100, PLOT.left + 599, width].map((x) => bucketAt(x, width, 6)),
    ).toEqual([0, 0, 0, 1, 5, 5]);
  });
  it("is the first where there is no room or nothing to draw", () => {
    expect([bucketAt(30, 40, 6), bucketAt(30, 400, 0)]).toEqual([0, 0]);
  });
});

describe("a range that was drawn", () => {
  it("holds whole buckets, whichever way it was drawn", () => {
    const expected = { fromMs: START + MINUTE_MS, toMs: START + 4 * MINUTE_MS };
    expect(rangeOf(points([1, 1, 1, 1, 1]), MINUTE_MS, 1, 3)).toEqual(expected);
    expect(rangeOf(points([1, 1, 1, 1, 1]), MINUTE_MS, 3, 1)).toEqual(expected);
    expect(rangeOf([], MINUTE_MS, 0, 0)).toBeNull();
  });
});

describe("empty stretches", () => {
  it("join neighbours that are empty for the same reason, and say which", () => {
    expect(emptyStretches(points([0, 0, 5, 0]))).toEqual([
      { start: 0, end: 0.5, words: "no traffic" },
      { start: 0.75, end: 1, words: "no traffic" },
    ]);
    const mixed = [...points([0], "not recorded"), ...points([1, 0]).slice(1)];
    expect(emptyStretches(mixed).map(({ words }) => words)).toEqual(["not recorded", "no traffic"]);
  });
});

describe("marks", () => {
  const ten = points(Array.from({ length: 10 }, () => 1));
  it("lie at their time, numbered as in the list, and share a flag where there is no room for two", () => {
    const marks = [-1, 1, 5, 5.1, 11].map((minute) => ({ at: iso(minute), label: `at ${minute}` }));
    expect(placeMarks(marks, ten, MINUTE_MS)).toMatchObject([
      { position: 0.1, flag: "2", title: "2 at 1" },
      { position: 0.5, flag: "3–4", title: "3 at 5\n4 at 5.1" },
      { position: 0.51, flag: null },
    ]);
  });
  it("are not drawn where there is no axis", () => {
    expect(placeMarks([{ at: iso(0), label: "x" }], [], MINUTE_MS)).toEqual([]);
  });
});

describe("bands", () => {
  it("are cut at the ends of the axis, and left out beyond them", () => {
    const ten = points(Array.from({ length: 10 }, () => 1));
    const band = (from: number, to: number, state: string) => ({ from: iso(from), to: iso(to), state });
    const bands = [band(-5, -1, "closed"), band(-1, 2, "closed"), band(2, 4.5, "open"), band(4.5, 30, "half-open")];
    expect(placeBands(bands, ten, MINUTE_MS).map(({ start, end, band: { state } }) => [state, start, end])).toEqual([
      ["closed", 0, 0.2],
      ["open", 0.2, 0.45],
      ["half-open", 0.45, 1],
    ]);
  });
});
