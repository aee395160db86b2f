import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alignStart, coverTime, DAY_MS, HOUR_MS, MINUTE_MS, resolutionFor } from "@/lib/metrics/segments";

const NOW = Date.UTC(2026, 10, 20, 13, 44, 30);
const minutes = fc.integer({ min: 0, max: 90 * 24 * 60 });

describe("a window", () => {
  it("is covered minute by minute exactly once, whatever has been summed up", () => {
    fc.assert(
      fc.property(minutes, minutes, minutes, minutes, (one, two, hours, days) => {
        const [from, to] = [Math.min(one, two) * MINUTE_MS, Math.max(one, two) * MINUTE_MS];
        const rolled = {
          hours: hours * MINUTE_MS - ((hours * MINUTE_MS) % HOUR_MS),
          days: days * MINUTE_MS - ((days * MINUTE_MS) % DAY_MS),
        };
        let at = from;
        for (const segment of coverTime(from, to, rolled)) {
          expect(segment.from).toBe(at);
          expect(segment.to).toBeGreaterThan(segment.from);
          const unit = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS }[segment.resolution];
          expect([segment.from % unit, segment.to % unit]).toEqual([0, 0]);
          if (segment.resolution === "hour") expect(segment.to).toBeLessThanOrEqual(rolled.hours);
          if (segment.resolution === "day") expect(segment.to).toBeLessThanOrEqual(rolled.days);
          at = segment.to;
        }
        expect(at).toBe(to);
      }),
    );
  });

  it("of thirty days takes days in the middle, and minutes only where nothing is summed up", () => {
    const rolled = { hours: Date.UTC(2026, 10, 20, 13), days: Date.UTC(2026, 10, 20) };
    const cover = coverTime(NOW - 30 * DAY_MS, NOW, rolled);
    expect(cover.map(({ resolution, from, to }) => [resolution, (to - from) / MINUTE_MS])).toEqual([
      ["minute", 16],
      ["hour", 10 * 60],
      ["day", 30 * 24 * 60 - 24 * 60],
      ["hour", 13 * 60],
      ["minute", 45],
    ]);
    expect(coverTime(NOW - 30 * DAY_MS, NOW, rolled, "hour").some(({ resolution }) => resolution === "day")).toBe(
      false,
    );
  });

  it("is taken from what fits its buckets", () => {
    expect([MINUTE_MS, 15 * MINUTE_MS, 2 * HOUR_MS, DAY_MS].map(resolutionFor)).toEqual([
      "minute",
      "minute",
      "hour",
      "day",
    ]);
  });

  it("begins where there still are figures", () => {
    const kept = { minuteDays: 7, hourDays: 100 };
    expect(alignStart(NOW - DAY_MS, NOW, kept)).toBe(Date.UTC(2026, 10, 19, 13, 44));
    expect(alignStart(NOW - 20 * DAY_MS, NOW, kept)).toBe(Date.UTC(2026, 9, 31, 13));
    expect(alignStart(NOW - 200 * DAY_MS, NOW, kept)).toBe(Date.UTC(2026, 4, 4));
  });
});
