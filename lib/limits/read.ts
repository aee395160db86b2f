import "server-only";
import { z } from "zod";
import { AppError } from "@/lib/core/errors";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineRead } from "@/lib/db/verbs";
import { cacheView } from "@/lib/limits/cache-views";
import { toRetryPolicy } from "@/lib/limits/current-handling";
import { toLimits } from "@/lib/limits/current-limits";
import { operatorLimits } from "@/lib/limits/operator-limits";
import type { ServerHandlingView, TenantLimitsView } from "@/lib/limits/schemas";

/** The tenant's limits as they are in this transaction. */
export async function readTenantLimits(tx: TenantTx, tenantId: string): Promise<TenantLimitsView> {
  const { tenant, agents, byAgent } = toLimits(await tx.rateLimit.findMany({ where: { tenantId } }));
  return {
    perSecond: tenant,
    agentPerSecond: agents,
    agents: Object.fromEntries(byAgent),
    operator: operatorLimits(),
  };
}

/** Calls per second: of the tenant, of its agents, and what the operator set. */
export const getTenantLimits = defineRead({
  permission: "tenant:read",
  input: z.object({}),
  run: (tx, { tenantId }) => readTenantLimits(tx, tenantId),
});

/** How a server's calls are treated, as it is in this transaction. */
export async function readServerHandling(tx: TenantTx, tenantId: string, id: string): Promise<ServerHandlingView> {
  const server = await tx.server.findUnique({
    where: { tenantId_id: { tenantId, id } },
    select: { slug: true, retryPolicy: true },
  });
  if (server === null) throw new AppError("not_found", "There is no such server.");
  const settings = await tx.toolSetting.findMany({ where: { tenantId, serverId: id, cacheTtlMs: { gt: 0 } } });
  return {
    retryPolicy: toRetryPolicy(server.retryPolicy),
    cached: Object.fromEntries(settings.map(({ tool, cacheTtlMs }) => [tool, cacheTtlMs])),
    cache: cacheView(tenantId, server.slug),
  };
}

/** Retries and answers given again, of one server. */
export const getServerHandling = defineRead({
  permission: "servers:read",
  input: z.object({ id: z.uuid() }),
  run: (tx, { tenantId }, { id }) => readServerHandling(tx, tenantId, id),
});
