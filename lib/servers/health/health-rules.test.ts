import { describe, expect, it } from "vitest";
import { AppError } from "@/lib/core/errors";
import { notHeld } from "@/lib/mcp/upstream/faults";
import { findingOf, type HealthState, nextCheckMs, nextHealth } from "@/lib/servers/health/health-rules";

const at = (second: number) => new Date(1_000_000 + second * 1_000);
const START: HealthState = {
  status: "unknown",
  since: at(0),
  failures: 0,
  failingFrom: null,
  reasonCode: null,
  reason: null,
};
const down = { kind: "failing", code: "upstream_unreachable", reason: "connection refused" } as const;
const up = { kind: "alive" } as const;

describe("findingOf", () => {
  const error = (code: ConstructorParameters<typeof AppError>[0], detail = {}) => new AppError(code, "why", detail);
  it.each([
    [error("upstream_unreachable"), "failing"],
    [error("upstream_timeout"), "failing"],
    [error("upstream_protocol"), "failing"],
    [error("upstream_error", { httpStatus: 500 }), "failing"],
    [error("upstream_error", { httpStatus: 401 }), "failing"],
    [error("upstream_error", { httpStatus: 429 }), "alive"],
    [error("upstream_error", { rpcCode: -32603 }), "alive"],
    [notHeld(), "unclear"],
    [error("overloaded"), "unclear"],
    [error("cancelled"), "unclear"],
    [new Error("a bug of ours"), "unclear"],
  ])("%s → %s", (cause, kind) => expect(findingOf(cause).kind).toBe(kind));
});

describe("nextHealth", () => {
  it("is down after two failures in a row, since the first of them", () => {
    const healthy = nextHealth(START, up, at(1));
    expect(healthy).toMatchObject({ status: "healthy", since: at(1) });
    const once = nextHealth(healthy, down, at(31));
    expect(once).toMatchObject({ status: "healthy", failures: 1, failingFrom: at(31) });
    expect(nextHealth(once, up, at(36))).toMatchObject({ status: "healthy", since: at(1), failures: 0 });
    const twice = nextHealth(once, down, at(36));
    expect(twice).toMatchObject({ status: "unavailable", since: at(31), reason: "connection refused" });
    expect(nextHealth(twice, down, at(66))).toMatchObject({ status: "unavailable", since: at(31), failures: 3 });
    expect(nextHealth(twice, up, at(66))).toMatchObject({ status: "healthy", since: at(66), reason: null });
  });

  it("leaves everything as it is where nothing was learnt", () => {
    const once = nextHealth(START, down, at(1));
    expect(nextHealth(once, { kind: "unclear" }, at(2))).toBe(once);
  });
});

describe("nextCheckMs", () => {
  it("looks again soon after a first failure, and spreads the rest around thirty seconds", () => {
    expect(nextCheckMs(START, () => 0)).toBe(27_000);
    expect(nextCheckMs(START, () => 1)).toBe(33_000);
    const once = nextHealth(START, down, at(1));
    expect(nextCheckMs(once, () => 0.5)).toBe(5_000);
    expect(nextCheckMs(nextHealth(once, down, at(6)), () => 0.5)).toBe(30_000);
  });
});
