import { describe, expect, it } from "vitest";
import { attentionOf } from "@/components/overview/attention";
import type { AlertView } from "@/lib/alerts/schemas";
import type { OverviewView, ServerFigures } from "@/lib/metrics/schemas";
import type { ServerView } from "@/lib/servers/schemas";

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
  callersHit: 0,
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
    ...{ errorRate: 0, availability: 1, p50Ms: 5, p95Ms: 20, p99Ms: 30, callersHit: 0 },
    ...totals,
  },
  servers,
  series: [],
});
const server = (slug: string, more: Partial<ServerView> = {}): ServerView => ({
  ...{ id: `id-${slug}`, slug, name: slug, description: "", transport: "http", address: "", status: "enabled" },
  ...{
    zones: [],
    residency: "",
    deadlineMs: 30_000,
    poolSize: 5,
    credentialNames: [],
    toolCount: 3,
    mappedToolCount: 3,
  },
  ...{ heldToolCount: 0, newToolCount: 0, probe: null, probedAt: null, circuitPolicy: null, poolLimits: null },
  health: { status: "healthy", reasonCode: null, reason: null, since: null, checkedAt: null },
  circuit: {
    ...{ kind: "closed", consecutiveFailures: 0, openUntil: null, lastFailure: null, cause: null },
    ...{ windowCalls: 0, successRate: null, tools: [] },
  },
  ...{ pool: null, createdAt: "2026-11-20T09:00:00Z" },
  ...more,
});
const silent = {
  status: "unavailable",
  reasonCode: null,
  reason: "It is down.",
  since: null,
  checkedAt: null,
} as const;
const ids = (given: OverviewView, servers: ServerView[] = [], alerts: AlertView[] = []) =>
  attentionOf(given, servers, alerts).map((item) => item.id);

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
  it("names servers that do not answer though nobody called them, and definitions that wait", () => {
    const servers = [
      server("files"),
      server("labs", { heldToolCount: 2 }),
      server("scans", { health: silent }),
      server("old", { health: silent, status: "disabled" }),
    ];
    expect(ids(view([]), servers)).toEqual(["silent-scans", "held-labs"]);
  });
  it("does not cry at the limit itself, nor without traffic", () => {
    expect(ids(view([figures({ errorRate: 0.05 }), figures({ errorRate: null, p95Ms: null })]))).toEqual([]);
    expect(ids(view([figures({ errorRate: 0.051 })]))).toEqual(["errors-files"]);
  });
  it("does not repeat what an alert about the same server says", () => {
    const slow = { server: "files", tool: null, metric: "p95_ms", watch: null } as AlertView;
    const servers = [figures({ p95Ms: 6000 }), figures({ server: "memory", p95Ms: 6000 })];
    expect(ids(view(servers), [], [slow])).toEqual(["slow-memory"]);
    expect(ids(view(servers), [], [{ ...slow, tool: "read" }])).toEqual(["slow-files", "slow-memory"]);
    const open = { ...slow, metric: null, watch: "circuit_open" } as AlertView;
    expect(ids(view([figures({ circuit: "open" })]), [], [open])).toEqual([]);
  });
});
