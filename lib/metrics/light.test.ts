import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lightOf, type Seen } from "@/lib/metrics/light";

const seen = (over: Partial<Seen>): Seen => ({
  reached: 100,
  reachedFailures: 0,
  heldBack: 0,
  totalMs: 1_000,
  ...over,
});

describe("the light", () => {
  it.each([
    ["no traffic", { reached: 0, totalMs: 0 }, "UNKNOWN"],
    ["no failure", {}, "HEALTHY"],
    ["5 % exactly", { reachedFailures: 5 }, "HEALTHY"],
    ["above 5 %", { reachedFailures: 6 }, "WARNING"],
    ["10 % exactly", { reachedFailures: 10 }, "WARNING"],
    ["above 10 %", { reachedFailures: 11 }, "CRITICAL"],
    ["3 s exactly", { totalMs: 300_000 }, "HEALTHY"],
    ["above 3 s", { totalMs: 300_100 }, "WARNING"],
    ["slow and failing", { totalMs: 900_000, reachedFailures: 50 }, "CRITICAL"],
    ["nothing but calls held back", { reached: 0, totalMs: 0, heldBack: 3 }, "CRITICAL"],
  ] as const)("with %s", (_, over, light) => {
    expect(lightOf(seen(over)).light).toBe(light);
  });

  it("always says why", () => {
    expect(lightOf(seen({ reachedFailures: 20, heldBack: 100 })).reason).toBe(
      "120 of 200 calls in the last five minutes failed, 100 of them not sent to the server (60.0 %): above 10 %.",
    );
    expect(lightOf(seen({ totalMs: 420_000 })).reason).toMatch(/took 4\.2 s on average: above 3 s\./);
    const count = fc.nat(1_000);
    fc.assert(
      fc.property(count, count, count, count, (reached, failures, heldBack, totalMs) => {
        const { light, reason } = lightOf({ reached, reachedFailures: Math.min(reached, failures), heldBack, totalMs });
        expect(reason).toMatch(/^[A-Z0-9].*\.$/);
        expect(reason).not.toMatch(/NaN|Infinity/);
        expect(light === "UNKNOWN").toBe(reached + heldBack === 0);
      }),
    );
  });
});
