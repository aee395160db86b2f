import { describe, expect, it } from "vitest";
import { detailSections } from "@/components/audit/detail-sections";
import type { EntryDetail } from "@/lib/audit/schemas";

const entry = (record: Record<string, unknown>): EntryDetail => ({
  seq: 1204,
  id: "0192f3a1-0000-7000-8000-000000000001",
  callId: null,
  ts: "2026-11-20T10:00:00Z",
  phase: "outcome",
  type: "tool_call.finished",
  outcome: "success",
  decision: "allowed",
  reasonCode: null,
  ruleId: null,
  actor: { type: "agent", id: "a", name: "triage-bot" },
  server: "files",
  tool: "read_file",
  target: null,
  latencyMs: 12,
  sentence: "",
  record,
  recordSha256: "r",
  prevHash: "p",
  hash: "h",
  hashValid: true,
  payload: null,
  payloadAccess: "none",
  related: [],
  previousId: null,
  nextId: null,
});
const section = (given: EntryDetail, title: string) => detailSections(given).find((one) => one.title === title)?.facts;

describe("detailSections", () => {
  it("leaves out what was not recorded", () => {
    expect(detailSections(entry({})).map((one) => one.title)).toEqual(["Chain"]);
  });
  it("splits the time between server and gateway", () => {
    expect(section(entry({ latency_ms: 12.4, upstream_ms: 12 }), "Timing")).toEqual([
      { label: "Took", text: "12 ms" },
      { label: "Of it the server", text: "12 ms" },
      { label: "Of it the gateway", text: "0.4 ms" },
    ]);
  });
  it("says what was counted: refusals, or what a list held", () => {
    const counted = (event: string) => section(entry({ event_type: event, count: 117 }), "What")?.at(-1);
    expect(counted("authentication.refused")).toEqual({ label: "Times", text: "117" });
    for (const event of ["tool_list.read", "tool_list.searched", "resource_list.read", "prompt_list.read"])
      expect(counted(event)).toEqual({ label: "Listed", text: "117" });
  });
  it("names the missing permission and the rule", () => {
    expect(section(entry({ permission: "files:write", rule_id: "unmapped" }), "Decision")).toEqual([
      { label: "Permission needed", text: "files:write", as: "code" },
      { label: "Rule", text: "unmapped", as: "code" },
    ]);
  });
});
