import { describe, expect, it } from "vitest";
import { emptyWords } from "@/components/charts/series";
import { FIRST_CHARTS, LAST_CHARTS, LATENCY, pointsOf } from "@/components/figures/chart-specs";
import { circuitSummary } from "@/components/figures/circuit-words";
import { windowOf } from "@/components/figures/figure-params";
import { shownMarks } from "@/components/figures/mark-list";
import { toolHref } from "@/components/figures/tool-href";
import { bucketWindow, trailHref } from "@/components/figures/trail-links";
import type { SeriesPoint, SeriesView } from "@/lib/metrics/schemas";

const NOTHING: SeriesPoint = {
  ...{ at: "2026-11-20T14:00:00.000Z", state: "traffic" },
  ...{ requests: 0, successes: 0, failures: 0, denied: 0, cancelled: 0, unknown: 0, samples: 0 },
  ...{ errorRate: null, availability: null, meanMs: null, minMs: null, maxMs: null },
  ...{ p50Ms: null, p95Ms: null, p99Ms: null, upstreamMeanMs: null, queueMeanMs: null, gatewayMeanMs: null },
  ...{ policyMeanMs: null, auditMeanMs: null, otherMeanMs: null, outcomeMeanMs: null },
  ...{ cacheHits: 0, cacheHitRatio: null, queued: 0, overloaded: 0, circuitRefusals: 0, limited: 0 },
};
const view = (...points: readonly Partial<SeriesPoint>[]): SeriesView => ({
  ...{ from: NOTHING.at, to: NOTHING.at, bucketMs: 60_000, recordedFrom: null },
  points: points.map((point) => ({ ...NOTHING, ...point })),
});
const chart = (key: string) => {
  const found = [...FIRST_CHARTS, LATENCY, ...LAST_CHARTS].find((spec) => spec.key === key);
  if (found === undefined) throw new Error(`no chart ${key}`);
  return found;
};

describe("the window of an address", () => {
  const at = "2026-11-20T14:00:00.000Z";
  it("stays relative where it is, and bounds go before it", () => {
    expect(windowOf({ range: "6h", from: null, to: null })).toBe("6h");
    expect(windowOf({ range: "6h", from: at, to: "2026-11-20T15:00:00+00:00" })).toEqual({
      ...{ from: at, to: "2026-11-20T15:00:00.000Z" },
    });
    expect(windowOf({ range: "6h", from: at, to: null })).toEqual({ from: at });
  });
  it("is the relative one where the bounds are no times", () => {
    expect(windowOf({ range: "1h", from: "yesterday", to: at })).toBe("1h");
  });
});

describe("what charts draw", () => {
  it("adds up to all calls, so that no outcome goes missing", () => {
    const counts = { requests: 15, successes: 5, failures: 4, denied: 3, cancelled: 2, unknown: 1, samples: 11 };
    const [point] = pointsOf(chart("calls"), view(counts));
    expect(Object.values(point?.values ?? {}).reduce<number>((sum, value) => sum + (value ?? 0), 0)).toBe(15);
    expect(point?.samples).toBe(15);
  });
  it("adds both waits for the trail, and draws nothing where nothing was measured", () => {
    const [with_, without] = pointsOf(chart("stages"), view({ samples: 1, auditMeanMs: 2, outcomeMeanMs: 3 }, {}));
    expect([with_?.values["audit"], without?.values["audit"]]).toEqual([5, null]);
  });
  it("tells silence from calls that all stopped before the server, and from a time nobody recorded", () => {
    const points = pointsOf(
      LATENCY,
      view({ state: "no_traffic" }, { requests: 3, denied: 3 }, { state: "not_recorded" }, { requests: 1, samples: 1 }),
    );
    expect(points.map(emptyWords)).toEqual(["no traffic", "none reached it", "not recorded", null]);
  });
  it("begins the axis of availability low enough to see its limit", () => {
    const { domain } = chart("availability");
    const of = (availability: number) => domain?.(pointsOf(chart("availability"), view({ availability })));
    expect([of(0.999), of(0.4)]).toEqual([
      [0.98, 1],
      [0.4, 1],
    ]);
  });
});

describe("links into the trail", () => {
  const subject = { tenant: "clinic", server: "files", tool: "read_text_file" };
  it("name server, tool, the bucket's own time and the outcome", () => {
    expect(trailHref(subject, bucketWindow("2026-11-20T14:03:00.000Z", 60_000), { outcome: "failure" })).toBe(
      "/clinic/audit?from=2026-11-20T14%3A03%3A00.000Z&to=2026-11-20T14%3A04%3A00.000Z&phase=outcome&server=files&tool=read_text_file&outcome=failure",
    );
  });
  it("keep a relative window relative", () => {
    expect(trailHref({ tenant: "clinic", server: "files" }, "6h")).toBe(
      "/clinic/audit?range=6h&phase=outcome&server=files",
    );
  });
  it("lead from a bar's layer to its outcome, and from a chart of errors to failures", () => {
    expect(["succeeded", "failed", "denied", "unknown", "cancelled", null].map(chart("calls").leads)).toEqual([
      { outcome: "success" },
      { outcome: "failure" },
      { outcome: "denied" },
      { outcome: "unknown" },
      { q: "cancelled" },
      {},
    ]);
    expect(chart("errors").leads(null)).toEqual({ outcome: "failure" });
  });
  it("lead to a tool whatever it is called", () => {
    expect(toolHref("clinic", "1", "a/b c", { range: "6h" })).toBe("/clinic/servers/1/tools/a%2Fb%20c?range=6h");
  });
});

describe("words", () => {
  const timeIn = { closed: 3_000_000, open: 60_000, "half-open": 5_000, "forced-open": 0, disabled: 0 };
  it("say how often a circuit opened and for how long it was not closed", () => {
    expect(circuitSummary({ opens: 1, timeIn })).toBe("opened 1 time, not closed for 1 min 5 s");
    expect(circuitSummary({ opens: 0, timeIn: { ...timeIn, open: 0, "half-open": 0 } })).toBe("did not open");
  });
  it("leave circuits to their bands", () => {
    const mark = { at: NOTHING.at, text: "x", entryId: null, by: "y" };
    expect(
      shownMarks([
        { ...mark, kind: "circuit" },
        { ...mark, kind: "deploy" },
      ]).map(({ kind }) => kind),
    ).toEqual(["deploy"]);
  });
});
