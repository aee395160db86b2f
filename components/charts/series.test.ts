import { describe, expect, it } from "vitest";
import { type ChartPoint, isLonely, tickLabel } from "@/components/charts/series";

const point = (p95: number | null): ChartPoint => ({ at: "2026-11-20T10:00:00Z", samples: 1, values: { p95 } });

describe("tickLabel", () => {
  it("shows no more than the span needs", () => {
    const iso = "2026-11-20T14:03:20Z";
    expect(tickLabel(iso, 15 * 60_000, 15_000)).toBe("14:03:20");
    expect(tickLabel(iso, 3_600_000, 60_000)).toBe("14:03");
    expect(tickLabel(iso, 7 * 86_400_000, 3_600_000)).toBe("20 Nov");
  });
});

describe("isLonely", () => {
  it("finds points that no line would reach", () => {
    const points = [point(null), point(5), point(null), point(7), point(8)];
    expect([0, 1, 2, 3, 4].map((index) => isLonely(points, index, "p95"))).toEqual([false, true, false, false, false]);
  });
});
