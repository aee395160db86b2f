import { describe, expect, it } from "vitest";
import { runCrashes } from "@/lib/testing/crash-run";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

describe("a gateway that is killed five times during 2,000 concurrent calls", () => {
  it("has recorded every call that was answered or executed, and says of the rest that it does not know", async () => {
    const report = await runCrashes({ kills: 5, concurrent: 2_000 });
    process.stdout.write(`${JSON.stringify(report)}\n`);
    expect(report).toMatchObject({ answeredUnrecorded: 0, executedUnrecorded: 0, chainValid: true, open: 0 });
    expect(report.unknown).toBeGreaterThan(0);
  });

  it("would be caught if it answered before it recorded", async () => {
    const report = await runCrashes({ kills: 3, concurrent: 2_000, careless: true });
    process.stdout.write(`${JSON.stringify(report)}\n`);
    expect(report.answeredUnrecorded + report.executedUnrecorded).toBeGreaterThan(0);
  });
});
