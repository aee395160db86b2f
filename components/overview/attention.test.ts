import { describe, expect, it } from "vitest";
import { attentionOf } from "@/components/overview/attention";
import type { OverviewView, ServerFigures } from "@/lib/metrics/schemas";

const figures = (more: Partial<ServerFigures> = {}): ServerFigures => ({
  server: "files",
  calls: 100,
  failures: 0,
  denied: 0,
  errorRate: 0,
  p50Ms: 5,
  p95Ms: 20,
  p99Ms: 30,
  circuit: "closed",
  ...more,
});
const view = (servers: ServerFigures[], totals: Partial<OverviewView["totals"]> = {}): OverviewView => ({
  from: "2026-11-20T09:00:00Z",
  to: "2026-11-20T10:00:00Z",
  bucketMs: 60_000,
  totals: {
    calls: 100,
    allowed: 100,
    denied: 0,
    failures: 0,
    unknown: 0,
    errorRate: 0,
    p50Ms: 5,
    p95Ms: 20,
    p99Ms: 30,
    ...totals,
  },
  servers,
  series: [],
});
const ids = (given: OverviewView) => attentionOf(given).map((item) => item.id);

describe("attentionOf", () => {
  it("is empty when all is well", () => {
    expect(ids(view([figures()]))).toEqual([]);
  });
  it("puts what is broken before what is slow, and refusals last", () => {
    const servers = [figures({ p95Ms: 6000 }), figures({ server: "memory", circuit: "open" })];
    expect(ids(view(servers, { denied: 3, unknown: 1 }))).toEqual([
      "circuit-memory",
      "slow-files",
      "unknown",
      "denied",
    ]);
  });
  it("does not cry at the limit itself, nor without traffic", () => {
    expect(ids(view([figures({ errorRate: 0.05 }), figures({ errorRate: null, p95Ms: null })]))).toEqual([]);
    expect(ids(view([figures({ errorRate: 0.051 })]))).toEqual(["errors-files"]);
  });
});
