import { createSerializer } from "nuqs/server";
import { describe, expect, it } from "vitest";
import {
  auditParams,
  chipsOf,
  filterOf,
  isoToUtcInput,
  loadAuditParams,
  NO_FILTER,
  resultOf,
  utcInputToIso,
  withResult,
} from "@/components/audit/audit-params";
import { searchEntriesInput } from "@/lib/audit/schemas";

const read = (query: string) => loadAuditParams(new URLSearchParams(query));
const write = createSerializer(auditParams);

describe("the audit page's address", () => {
  it("survives a round trip", () => {
    const query = "?range=24h&server=files&caller=triage-bot&decision=denied&q=lacks+files&entry=0192";
    expect(write(read(query))).toBe(query);
  });
  it("asks only for what it says, and never for the open entry", () => {
    expect(filterOf(read("range=7d&entry=0192&q="))).toEqual({ range: "7d" });
    expect(filterOf(read(""))).toEqual({});
  });
  it("always makes a question the server accepts", () => {
    const filter = filterOf(read("range=24h&from=2026-11-20T10:00:00.000Z&outcome=unknown&phase=admin&tool=read_file"));
    expect(searchEntriesInput.safeParse(filter).success).toBe(true);
  });
  it("ignores a decision that is none", () => {
    expect(filterOf(read("decision=maybe"))).toEqual({});
  });
});

describe("result", () => {
  it("is one word for decision and outcome", () => {
    for (const result of ["", "allowed", "denied", "failure", "unknown", "pending"]) {
      expect(resultOf({ ...read(""), ...withResult(result) })).toBe(result);
    }
  });
});

describe("chips", () => {
  it("has one for each part of the filter, and clearing all of them clears the filter", () => {
    const params = read(
      "range=24h&server=files&tool=x&caller=y&decision=denied&phase=admin&q=z&trace=4bf92f3577b34da6a3ce929d0e0e4736&from=2026-11-20T10:00:00Z",
    );
    const chips = chipsOf(params);
    expect(chips).toHaveLength(9);
    const cleared = Object.assign({}, params, ...chips.map((chip) => chip.clears));
    expect(filterOf(cleared)).toEqual({});
    expect(filterOf({ ...params, ...NO_FILTER })).toEqual({});
  });
  it("speaks words", () => {
    expect(chipsOf(read("range=24h&decision=denied")).map((chip) => chip.label)).toEqual(["Last 24 hours", "Denied"]);
  });
});

describe("custom times", () => {
  it("are said in UTC and to the second, as they are asked for", () => {
    const labels = (query: string) => chipsOf(read(query)).map((chip) => chip.label);
    expect(labels("from=2026-11-20T10:00:00%2B02:00&to=2026-11-20T15:46:37.500Z")).toEqual([
      "from 2026-11-20 08:00 UTC",
      "until 2026-11-20 15:46:37.500 UTC",
    ]);
    expect(labels("from=yesterday")).toEqual(["from yesterday"]);
    expect(isoToUtcInput("2026-11-20T14:03:59.000Z")).toBe("2026-11-20T14:03:59");
  });
  it("are UTC whatever the browser's zone", () => {
    expect(utcInputToIso("2026-11-20T14:03")).toBe("2026-11-20T14:03:00.000Z");
    expect(isoToUtcInput("2026-11-20T14:03:00.000Z")).toBe("2026-11-20T14:03");
  });
  it("are empty when they are none", () => {
    expect(utcInputToIso("")).toBeNull();
    expect(isoToUtcInput(null)).toBe("");
    expect(isoToUtcInput("yesterday")).toBe("");
  });
});
