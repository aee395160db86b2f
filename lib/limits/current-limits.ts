import "server-only";
import type { Soon } from "@/lib/core/soon";
import { type TenantCache, tenantCache } from "@/lib/core/tenant-cache";
import { CALLS_WAIT_MS, tenantSql } from "@/lib/db/sql";

/** Calls per second a tenant has set for itself; null where it has not. */
export type TenantLimits = {
  readonly tenant: number | null;
  readonly agents: number | null;
  readonly byAgent: ReadonlyMap<string, number>;
};

/** How a limit is named in its row. */
export const TENANT_TARGET = "tenant";
export const AGENTS_TARGET = "agents";
export const agentTarget = (slug: string): string => `agent:${slug}`;

type LimitRow = { readonly target: string; readonly per_second: number };

async function load(tenantId: string): Promise<TenantLimits> {
  const sql = "select target, per_second from rate_limits where tenant_id = $1";
  const { rows } = await tenantSql(tenantId, (client) => client.query<LimitRow>(sql, [tenantId]), CALLS_WAIT_MS);
  return toLimits(rows.map(({ target, per_second: perSecond }) => ({ target, perSecond })));
}

/** Rows as the road reads them. */
export function toLimits(rows: readonly { readonly target: string; readonly perSecond: number }[]): TenantLimits {
  const byTarget = new Map(rows.map(({ target, perSecond }) => [target, perSecond]));
  const prefix = agentTarget("");
  return {
    tenant: byTarget.get(TENANT_TARGET) ?? null,
    agents: byTarget.get(AGENTS_TARGET) ?? null,
    byAgent: new Map(
      rows.flatMap(({ target, perSecond }) =>
        target.startsWith(prefix) ? [[target.slice(prefix.length), perSecond] as const] : [],
      ),
    ),
  };
}

const cache = (): TenantCache<TenantLimits> =>
  tenantCache("limits", { load, dropOn: (message) => message.topic === "limits.changed" });

/** The tenant's limits, at most two seconds old. */
export const currentLimits = (tenantId: string): Soon<TenantLimits> => cache().get(tenantId);
