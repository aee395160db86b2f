import { describe, expect, it } from "vitest";
import { inputOf, issuesOf, type RuleValues, valuesOf } from "@/components/alerts/rule-form";
import { previewOf, ruleWords, windowWords } from "@/components/alerts/rule-words";
import type { AlertRuleView } from "@/lib/alerts/schemas";
import type { StatisticsRow } from "@/lib/metrics/schemas";

const rule = (more: Partial<AlertRuleView> = {}): AlertRuleView => ({
  ...{ id: "r1", name: "Slow", severity: "warning", enabled: true, builtIn: false, watch: null },
  ...{ metric: "p95_ms", threshold: 5000, server: null, tool: null, windowMinutes: 5, minCalls: 20, holdMinutes: 0 },
  ...{ version: 1, updatedAt: "2026-11-20T10:00:00Z" },
  ...more,
});
const typed = (more: Partial<RuleValues> = {}): RuleValues => ({ ...valuesOf(null), name: "Slow", ...more });

describe("a rule in words", () => {
  it("says what it looks at and over what", () => {
    expect(ruleWords(rule())).toBe("P95 of each server above 5 s");
    expect(ruleWords(rule({ metric: "availability", threshold: 0.99, server: "files", tool: "read" }))).toBe(
      "Availability of files__read below 99 %",
    );
    expect(windowWords(rule({ minCalls: 1 }))).toBe("5 min, at least 1 call");
    const watch = rule({ watch: "circuit_open", metric: null, threshold: null });
    expect([ruleWords(watch), windowWords(watch)]).toEqual(["The circuit of a server is open", "what is so now"]);
  });
});

describe("the form of a rule", () => {
  it("takes shares as percent and gives them back as they were", () => {
    const values = typed({ metric: "error_rate", threshold: "7.5", server: "files" });
    expect(inputOf(values)).toMatchObject({ threshold: 0.075, server: "files", tool: null, windowMinutes: 5 });
    expect(valuesOf(rule({ metric: "error_rate", threshold: 0.075 })).threshold).toBe("7.5");
    expect(valuesOf(rule({ metric: "availability", threshold: 0.999 })).threshold).toBe("99.9");
    expect(inputOf(typed({ metric: "availability", threshold: "99,9" })).threshold).toBe(0.999);
  });
  it("finds nothing wrong with what it starts with", () => {
    expect(issuesOf(typed())).toEqual({});
  });
  it("says what is wrong at its field, in the units that are typed", () => {
    expect(
      issuesOf(typed({ name: " ", threshold: "", windowMinutes: "1.5", minCalls: "0", holdMinutes: "61" })),
    ).toEqual({
      name: expect.stringContaining("1 to 80"),
      threshold: expect.stringContaining("milliseconds"),
      windowMinutes: expect.stringContaining("1 to 60"),
      minCalls: expect.stringContaining("from 1"),
      holdMinutes: expect.stringContaining("0 to 60"),
    });
    expect(issuesOf(typed({ metric: "error_rate", threshold: "500" }))).toEqual({
      threshold: "must be a percentage, from 0 to 100",
    });
    expect(issuesOf(typed({ tool: "read_text_file" }))).toHaveProperty("tool");
  });
});

describe("what a rule would say now", () => {
  const row = (server: string, more: Partial<StatisticsRow>): StatisticsRow =>
    ({ ...{ server, tool: "", samples: 100, circuitRefusals: 0, overloaded: 0 }, ...more }) as StatisticsRow;
  const slow = { metric: "p95_ms", threshold: 5000 } as const;
  it("names the worst and counts the others", () => {
    const rows = [row("a", { p95Ms: 6000 }), row("b", { p95Ms: 9000 }), row("c", { p95Ms: 10 })];
    expect(previewOf(slow, 20, rows)).toEqual({
      broken: true,
      words: "It would be broken now: P95 of b is 9 s over 100 calls, and 1 more.",
    });
  });
  it("does not judge too few calls, nor at the limit itself", () => {
    expect(previewOf(slow, 101, [row("a", { p95Ms: 6000 })]).words).toMatch(/^Nothing would be judged/);
    expect(previewOf(slow, 20, [row("a", { p95Ms: 5000 })])).toMatchObject({ broken: false });
    expect(previewOf(slow, 20, [])).toMatchObject({ broken: false });
  });
  it("does not take a single failed call for a broken rule", () => {
    const errors = { metric: "error_rate", threshold: 0.05 } as const;
    expect(previewOf(errors, 5, [row("a", { errorRate: 0.1, samples: 10 })])).toMatchObject({ broken: false });
    expect(previewOf(errors, 5, [row("a", { errorRate: 0.1, samples: 20 })])).toMatchObject({ broken: true });
  });
  it("counts calls that were held back for availability, which is broken below its limit", () => {
    const gone = row("a", { availability: 0.5, samples: 10, circuitRefusals: 10 });
    expect(previewOf({ metric: "availability", threshold: 0.99 }, 20, [gone])).toMatchObject({ broken: true });
  });
});
