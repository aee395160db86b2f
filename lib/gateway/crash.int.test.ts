import { describe, expect, it } from "vitest";
import { runCrashes } from "@/lib/testing/crash-run";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

describe("a gateway that is killed under load", () => {
  it("has recorded every call that was answered or executed", async () => {
    const report = await runCrashes({ kills: 2, concurrent: 200 });
    expect(report).toMatchObject({ answeredUnrecorded: 0, executedUnrecorded: 0, chainValid: true, open: 0 });
    expect(report.answered).toBeGreaterThan(200);
    expect(report.unknown).toBeGreaterThan(0);
  }, 120_000);

  it("would be caught if it answered before it recorded", async () => {
    const report = await runCrashes({ kills: 2, concurrent: 200, careless: true });
    expect(report.answeredUnrecorded + report.executedUnrecorded).toBeGreaterThan(0);
  }, 120_000);
});
