import { z } from "zod";
import { reason } from "@/lib/core/wire";

const perSecond = z.number().int().min(1).max(100_000);
/** PUT /api/v1/limits: calls per second; null takes a limit of the tenant's own away, and the operator's holds again. */
export const changeTenantLimitsInput = z.object({
  perSecond: perSecond.nullable().optional(),
  /** Of each agent that has none of its own. */
  agentPerSecond: perSecond.nullable().optional(),
  reason,
});

/** PUT /api/v1/agents/{id}/limit */
export const changeAgentLimitInput = z.object({ id: z.uuid(), perSecond: perSecond.nullable(), reason });

export type TenantLimitsView = {
  readonly perSecond: number | null;
  readonly agentPerSecond: number | null;
  /** Agents with a limit of their own, by slug. */
  readonly agents: Readonly<Record<string, number>>;
  /** What the operator set; a tenant's limit counts only where it is lower. */
  readonly operator: { readonly global: number; readonly tenant: number; readonly agent: number };
};

/** PUT /api/v1/servers/{id}/retry-policy: which tools may be called a second time after a fault. */
export const RETRY_POLICIES = ["off", "read_only", "idempotent"] as const;
export type RetryPolicy = (typeof RETRY_POLICIES)[number];
export const changeRetryPolicyInput = z.object({ id: z.uuid(), retryPolicy: z.enum(RETRY_POLICIES), reason });

export const MAX_CACHE_TTL_MS = 3_600_000;
/** PUT /api/v1/servers/{id}/tool-cache: how long answers of a read-only tool are given again; 0 switches it off. */
export const changeToolCacheInput = z.object({
  id: z.uuid(),
  tool: z.string().min(1).max(128),
  ttlMs: z.number().int().min(0).max(MAX_CACHE_TTL_MS),
  reason,
});

export type CacheView = {
  readonly hits: number;
  readonly misses: number;
  readonly entries: number;
  readonly bytes: number;
};

/** GET /api/v1/servers/{id}/handling: retries and cached answers of one server. */
export type ServerHandlingView = {
  readonly retryPolicy: RetryPolicy;
  /** Tools whose answers are given again, with the time in ms. */
  readonly cached: Readonly<Record<string, number>>;
  /** Of the process that answers, since it started. */
  readonly cache: CacheView;
};
