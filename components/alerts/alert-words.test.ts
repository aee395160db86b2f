import { describe, expect, it } from "vitest";
import { entriesHref, figuresHref, formatMetric, subjectOf, windowOf } from "@/components/alerts/alert-words";
import type { AlertView } from "@/lib/alerts/schemas";

const alert = (more: Partial<AlertView> = {}): AlertView => ({
  ...{ id: "a1", ruleId: "r1", ruleName: "P95", severity: "warning", state: "firing" },
  ...{ server: "files", tool: null, target: null, metric: "p95_ms", watch: null, threshold: 5000 },
  ...{ value: 7200, worst: 9000, calls: 40, callersHit: 2, reason: "P95 of files was 7.2 s." },
  ...{ since: "2026-11-20T14:03:22.500Z", firedAt: "2026-11-20T14:03:22.500Z", resolvedAt: null, acknowledged: null },
  ...more,
});

describe("the words of an alert", () => {
  it("names what it is about", () => {
    expect(subjectOf(alert())).toBe("files");
    expect(subjectOf(alert({ tool: "read_text_file" }))).toBe("files__read_text_file");
    expect(subjectOf(alert({ server: null, target: "agent triage-bot" }))).toBe("agent triage-bot");
    expect(subjectOf(alert({ server: null }))).toBe("this tenant");
  });
  it("says figures in the unit of their metric", () => {
    expect(formatMetric("p95_ms", 7200)).toBe("7.2 s");
    expect(formatMetric("availability", 0.986)).toBe("98.6 %");
    expect(formatMetric("error_rate", null)).toBe("–");
  });
});

describe("the window of an alert", () => {
  it("begins before it and has no end while it is open", () => {
    expect(windowOf(alert())).toEqual({ from: "2026-11-20T13:48:00.000Z" });
    const resolvedAt = "2026-11-20T14:30:10Z";
    expect(windowOf(alert({ resolvedAt }))).toEqual({
      from: "2026-11-20T13:48:00.000Z",
      to: "2026-11-20T14:35:00.000Z",
    });
  });
});

describe("the entries behind an alert", () => {
  const filterOf = (more: Partial<AlertView>) => {
    const { pathname, searchParams } = new URL(entriesHref("clinic", alert(more)), "http://x");
    searchParams.delete("from");
    return [pathname, Object.fromEntries(searchParams)];
  };
  it("are all calls where it is about time, the failed ones where it is about errors", () => {
    expect(filterOf({})).toEqual(["/clinic/audit", { server: "files" }]);
    expect(filterOf({ metric: "error_rate", tool: "read" })).toEqual([
      "/clinic/audit",
      { server: "files", tool: "read", outcome: "failure" },
    ]);
  });
  it("are those of the switch, or of everything, where no server is meant", () => {
    expect(filterOf({ metric: null, watch: "kill_switch_used", server: null })[1]).toEqual({ q: "kill_switch" });
    expect(filterOf({ metric: null, watch: "trail_failing", server: null })[1]).toEqual({});
  });
});

describe("the figures behind an alert", () => {
  it("are its server's from before it began, going on while it is open; a tool has a page of its own", () => {
    const from = "from=2026-11-20T13%3A48%3A00.000Z";
    expect(figuresHref("clinic", "id1", alert())).toBe(`/clinic/servers/id1?tab=figures&${from}`);
    expect(figuresHref("clinic", "id1", alert({ tool: "a/b" }))).toBe(`/clinic/servers/id1/tools/a%2Fb?${from}`);
  });
});
