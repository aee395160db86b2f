import { describe, expect, it } from "vitest";
import { restWords, troubled } from "@/components/overview/lights";
import type { HealthView } from "@/lib/metrics/schemas";

type Light = HealthView["servers"][number]["light"];
const lit = (...lights: Light[]): HealthView["servers"] =>
  lights.map((light, index) => ({
    ...{ server: `s${index}`, light, reason: "" },
    check: { status: "healthy", reason: null, checkedAt: null },
  }));

describe("the lights of servers", () => {
  it("puts critical before warning, and names no other", () => {
    const names = troubled(lit("HEALTHY", "WARNING", "CRITICAL", "UNKNOWN")).map(({ server }) => server);
    expect(names).toEqual(["s2", "s1"]);
  });
  it("does not take silence for health", () => {
    expect(restWords(lit("HEALTHY", "HEALTHY", "UNKNOWN"))).toBe(
      "2 servers are healthy; of 1 server nothing is known, for want of calls in the last five minutes.",
    );
    expect(restWords(lit("UNKNOWN"))).toBe("Of 1 server nothing is known, for want of calls in the last five minutes.");
    expect(restWords(lit("CRITICAL"))).toBeNull();
  });
});
