import type { EntryDraft } from "@/lib/audit/entry";
import type { ErrorCode } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import type { CircuitPolicy, CircuitState } from "@/lib/resilience/circuit";

/** Whose circuit it is; `tool` is null for the server's own. */
export type CircuitName = {
  readonly tenantId: string;
  readonly serverId: string;
  readonly slug: string;
  readonly tool: string | null;
};

const ACTOR = { type: "system", id: "circuit", name: "circuit" } as const;

/** The entry of a circuit that opened or closed by itself; null for changes that are no news. */
export function changeEntry(
  name: CircuitName,
  from: CircuitState,
  to: CircuitState,
  reason: string,
): EntryDraft | null {
  const { tenantId, serverId, slug, tool } = name;
  const common = {
    ...{ tenantId, serverId, server: slug, target: tool === null ? slug : `${slug}/${tool}`, actor: ACTOR },
    ...(tool === null ? {} : { tool }),
    ...({ phase: "system", outcome: "success", requestId: newId(), circuitState: to.kind } as const),
  };
  if (to.kind === "open") return { ...common, eventType: "circuit.opened", reasonCode: to.cause, reason };
  if (to.kind !== "closed" || from.kind !== "half-open") return null;
  return { ...common, eventType: "circuit.closed", reasonCode: "trials_succeeded", reason };
}

/** Why a circuit stands as it does since its last change; `now` is that of the clock by which it rests. */
export function reasonOf(policy: CircuitPolicy, to: CircuitState, lastFailure: ErrorCode | null, now: number): string {
  switch (to.kind) {
    case "open": {
      const restS = Math.round((to.until - now) / 1_000);
      const last = lastFailure === null ? "" : ` The last failure was ${lastFailure}.`;
      return `${wordsFor(to.cause, policy)}.${last} It is tried again in ${restS} s.`;
    }
    case "half-open":
      return "Its rest is over: a few calls are let through as trials.";
    case "closed":
      return `${policy.successThreshold} trial calls in half-open succeeded.`;
    case "forced-open":
    case "disabled":
      return "A person decided so.";
  }
}

const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;

function wordsFor(cause: Extract<CircuitState, { kind: "open" }>["cause"], policy: CircuitPolicy): string {
  const { failureThreshold, minimumCalls, windowMs, successRate, slowRate, slowMs } = policy;
  switch (cause) {
    case "consecutive_failures":
      return `${failureThreshold} calls in a row failed`;
    case "success_rate":
      return `Fewer than ${percent(successRate)} of at least ${minimumCalls} calls within ${windowMs / 1_000} s succeeded`;
    case "slow_rate":
      return `At least ${percent(slowRate)} of the calls within ${windowMs / 1_000} s took longer than ${slowMs} ms`;
    case "trial_failed":
      return "A trial call in half-open failed";
  }
}
