import { describe, expect, it } from "vitest";
import { formatDuration, formatRelative, formatShare, formatUtc, shortenMiddle } from "@/components/ui/format";

describe("format", () => {
  it("says durations in the unit that fits", () => {
    const said = [null, 0, 0.42, 12.4, 1200, 5000, 60_000, 185_000, 119_900].map(formatDuration);
    expect(said).toEqual(["–", "0 ms", "0.4 ms", "12 ms", "1.2 s", "5 s", "1 min", "3 min 5 s", "1 min 59 s"]);
    const long = [3_600_000, 7_800_000, 86_400_000, 97_200_000].map(formatDuration);
    expect(long).toEqual(["1 h", "2 h 10 min", "1 d", "1 d 3 h"]);
  });
  it("says shares as percent, and nothing where nothing was divided", () => {
    expect([null, 0, 0.0081, 0.05, 0.5].map(formatShare)).toEqual(["–", "0 %", "0.8 %", "5 %", "50 %"]);
  });
  it("does not round a share up to where it would look whole, or better than a limit", () => {
    expect([0.9, 0.986, 0.99, 0.9995, 0.99999, 1].map(formatShare)).toEqual([
      "90 %",
      "98.6 %",
      "99 %",
      "99.95 %",
      "99.99 %",
      "100 %",
    ]);
  });
  it("says times exactly, in UTC", () => {
    expect(formatUtc("2026-11-20T14:03:22.123Z")).toBe("20 Nov 2026, 14:03:22 UTC");
  });
  it("says times as one would", () => {
    const now = Date.parse("2026-11-20T14:00:00Z");
    const at = (secondsAgo: number) => formatRelative(new Date(now - secondsAgo * 1000).toISOString(), now);
    expect([0, 30, 180, 7200, 172_800].map(at)).toEqual([
      "now",
      "30 sec. ago",
      "3 min. ago",
      "2 hr. ago",
      "2 days ago",
    ]);
  });
  it("shortens ids in the middle only when that saves something", () => {
    expect(shortenMiddle("0192f3a1-0000-7000-8000-000000000001")).toBe("0192f3a1…0001");
    expect(shortenMiddle("0192f3a1-0000")).toBe("0192f3a1-0000");
  });
});
