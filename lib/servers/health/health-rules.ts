import { type AppError, toAppError } from "@/lib/core/errors";
import { isNotHeld } from "@/lib/mcp/upstream/faults";

export type HealthStatus = "healthy" | "unavailable" | "unknown";

/** What is stored of a server's health, as the rules read it. */
export type HealthState = {
  readonly status: HealthStatus;
  readonly since: Date;
  readonly failures: number;
  readonly failingFrom: Date | null;
  readonly reasonCode: string | null;
  readonly reason: string | null;
};

/** What one look at a server says: it lives, it fails, or nothing about it. */
export type Finding =
  /** `cut`: its list of tools is not whole, and why. */
  | { readonly kind: "alive"; readonly cut?: string | null }
  | { readonly kind: "failing"; readonly code: string; readonly reason: string }
  | { readonly kind: "unclear" };

/** The reason code of one that answers, but with a list that has no end. */
const LIST_CUT = "list_cut";
export const CHECK_EVERY_MS = 30_000;
/** One failure may be a lost packet or a restart: a second look comes soon, and that one counts. */
export const LOOK_AGAIN_MS = 5_000;
export const FAILURES_TO_BE_DOWN = 2;

/** A server that answers lives, even if it answers "later" (429) or refuses to list; our own refusals say nothing of it. */
export function findingOf(cause: unknown): Finding {
  const error: AppError = toAppError(cause);
  const failing = { kind: "failing", code: error.code, reason: error.message } as const;
  switch (error.code) {
    case "upstream_unreachable":
    case "upstream_timeout":
    case "egress_refused":
      return failing;
    case "upstream_protocol":
      return isNotHeld(error) ? { kind: "unclear" } : failing;
    case "upstream_error":
      if (typeof error.detail["rpcCode"] === "number" || error.detail["httpStatus"] === 429) return { kind: "alive" };
      return failing;
    default:
      return { kind: "unclear" };
  }
}

/** The state after a look. Down after two failures in a row, from the time of the first; up after one answer. */
export function nextHealth(state: HealthState, finding: Finding, now: Date): HealthState {
  if (finding.kind === "unclear") return state;
  if (finding.kind === "alive") {
    const since = state.status === "healthy" ? state.since : now;
    const { cut = null } = finding;
    const told = { reasonCode: cut === null ? null : LIST_CUT, reason: cut };
    return { status: "healthy", since, failures: 0, failingFrom: null, ...told };
  }
  const failures = state.failures + 1;
  const failingFrom = state.failingFrom ?? now;
  const told = { failures, failingFrom, reasonCode: finding.code, reason: finding.reason };
  if (state.status === "unavailable") return { ...told, status: "unavailable", since: state.since };
  return failures < FAILURES_TO_BE_DOWN
    ? { ...told, status: state.status, since: state.since }
    : { ...told, status: "unavailable", since: failingFrom };
}

/** When to look again; spread by a tenth either way, so that servers registered together are not asked together. */
export function nextCheckMs(state: HealthState, random: () => number = Math.random): number {
  const first = state.failures > 0 && state.failures < FAILURES_TO_BE_DOWN;
  return Math.round((first ? LOOK_AGAIN_MS : CHECK_EVERY_MS) * (0.9 + 0.2 * random()));
}
