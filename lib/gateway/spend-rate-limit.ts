import { AppError } from "@/lib/core/errors";
import { type Soon, soon } from "@/lib/core/soon";
import type { Grant } from "@/lib/gateway/authorize";
import type { Limited, LimitState, RateLimits, Spent } from "@/lib/gateway/rate-limits";
import type { TenantLimits } from "@/lib/limits/current-limits";
import { type Rate, rateOf } from "@/lib/resilience/token-bucket";

/** What the operator set for the whole installation. */
export type OperatorLimits = { readonly global: number; readonly tenant: number; readonly agent: number };

export type RateLimiting = {
  readonly limits: (tenantId: string) => Soon<TenantLimits>;
  readonly operator: OperatorLimits;
  readonly rates: RateLimits;
};

const rates = new Map<number, Rate>();
const MAX_KNOWN = 1_000;

/** Rates are few and asked for with every call. */
function knownRate(perSecond: number): Rate {
  const found = rates.get(perSecond);
  if (found !== undefined) return found;
  if (rates.size >= MAX_KNOWN) rates.clear();
  const made = rateOf(perSecond);
  rates.set(perSecond, made);
  return made;
}

/**
 * Counts the call against the limits of its caller, its tenant and everybody. Throws `rate_limited`; nothing is counted
 * then. People who try a tool are callers like agents, and an admin is a caller like any other.
 */
export function spendRateLimit(
  gateway: { readonly rateLimiting: RateLimiting },
  grant: Grant,
  note: (notes: { readonly limit: LimitState }) => void,
): Soon<void> {
  const { limits, operator, rates: counts } = gateway.rateLimiting;
  return soon(limits(grant.identity.tenantId), (own) =>
    soon(counts.spend(limitsOf(grant, own, operator)), (spent) => settle(spent, grant, note)),
  );
}

function limitsOf({ identity }: Grant, own: TenantLimits, operator: OperatorLimits): readonly Limited[] {
  const { tenantId, actor } = identity;
  const ofCaller = (actor.type === "agent" ? own.byAgent.get(actor.name) : undefined) ?? own.agents ?? operator.agent;
  const ofTenant = Math.min(own.tenant ?? operator.tenant, operator.tenant);
  return [
    { scope: "agent", key: `a:${tenantId}:${actor.id}`, rate: knownRate(ofCaller) },
    { scope: "tenant", key: `t:${tenantId}`, rate: knownRate(ofTenant) },
    { scope: "global", key: "g", rate: knownRate(operator.global) },
  ];
}

function settle(spent: Spent, { decision, map }: Grant, note: (notes: { readonly limit: LimitState }) => void): void {
  const { state } = spent;
  note({ limit: state });
  if (spent.ok) return;
  const { retryAfterMs } = spent;
  const text = `${WHOSE[state.scope]} limit of ${state.limit} calls per second is used up. Try again in ${retryAfterMs} ms.`;
  throw new AppError("rate_limited", text, { retryAfterMs }, { decision, map });
}

const WHOSE = { agent: "This caller's", tenant: "The tenant's", global: "The gateway's" } as const;
