import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { VerifyPanel } from "@/components/audit/verify-panel";
import type { VerifyReport } from "@/lib/audit/schemas";

const report: VerifyReport = {
  ...{ valid: true, entries: 12, fromSeq: 1, toSeq: 12, head: "ab".repeat(32), firstBreak: null },
  ...{ openIntents: 0, unknownOutcomes: 0, tookMs: 5 },
};
const nothing = () => undefined;
const shown = (given: VerifyReport) =>
  renderToStaticMarkup(<VerifyPanel report={given} hrefOf={String} onOpen={nothing} onDismiss={nothing} />);

describe("what a verification says", () => {
  it("claims no more than the database alone can show, and says what would", () => {
    const text = shown(report);
    expect(text).toContain("The chain is valid");
    expect(text).toContain("made the chain anew, or cut its end");
    expect(text).toContain("--expect-head");
  });
  it("says nothing of that where the chain is broken", () => {
    const firstBreak = { seq: 4, id: null, problem: "entry 4 is missing" };
    const text = shown({ ...report, valid: false, firstBreak });
    expect(text).toContain("The chain is broken");
    expect(text).not.toContain("chain anew");
  });
});
