import { type Override, SEED_POLICY } from "@/lib/resilience/circuit";
import type { CircuitRules, PoolLimits } from "@/lib/servers/registered-server";
import { circuitPolicy, poolLimits, USUAL_PROGRAMS } from "@/lib/servers/schemas";

/** The stricter the zone, the earlier a server that fails is left alone; the strictest of a tenant's zones counts. */
const SUCCESS_RATES: Readonly<Record<string, number>> = { hipaa: 0.9, sox: 0.95 };

/** Time for the intent to become durable before a trial begins, and for its result to be told. */
const TRIAL_SLACK_MS = 10_000;

type Stored = {
  readonly circuit_policy: unknown;
  readonly circuit_override: string | null;
  readonly circuit_generation: number;
  readonly tenant_zones: readonly string[] | null;
  readonly deadline_ms: number;
};

/** What the row says, on top of the defaults for its tenant's zones. What is stored and no longer valid counts as absent. */
export function toCircuitRules(row: Stored): CircuitRules {
  const { perTool = [], ...stored } = circuitPolicy.safeParse(row.circuit_policy ?? {}).data ?? {};
  const wishes = Object.fromEntries(Object.entries(stored).filter(([, value]) => value !== undefined));
  const rates = (row.tenant_zones ?? []).map((zone) => SUCCESS_RATES[zone] ?? 0);
  const policy = {
    ...SEED_POLICY,
    successRate: Math.max(SEED_POLICY.successRate, ...rates),
    ...wishes,
    trialLeaseMs: row.deadline_ms + TRIAL_SLACK_MS,
  };
  return {
    // A first rest that is longer than the longest is meant to be the longest.
    policy: { ...policy, maxRecoveryMs: Math.max(policy.maxRecoveryMs, policy.recoveryMs) },
    perTool: new Set(perTool),
    override: row.circuit_override as Override | null,
    generation: row.circuit_generation,
  };
}

const POOL_DEFAULTS: PoolLimits = {
  // Far above what a healthy server needs, far below what a hanging one could eat up.
  maxConcurrent: 1_024,
  maxQueued: 256,
  maxChildren: USUAL_PROGRAMS,
};

/** How much a server may hold at once. */
export function toPoolLimits(stored: unknown): PoolLimits {
  const { maxConcurrent, maxQueued, maxChildren } = poolLimits.safeParse(stored ?? {}).data ?? {};
  return {
    maxConcurrent: maxConcurrent ?? POOL_DEFAULTS.maxConcurrent,
    maxQueued: maxQueued ?? POOL_DEFAULTS.maxQueued,
    maxChildren: maxChildren ?? POOL_DEFAULTS.maxChildren,
  };
}
