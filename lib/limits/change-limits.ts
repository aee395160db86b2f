import "server-only";
import type { BusMessage } from "@/lib/core/bus";
import { AppError } from "@/lib/core/errors";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import { AGENTS_TARGET, agentTarget, TENANT_TARGET } from "@/lib/limits/current-limits";
import { readTenantLimits } from "@/lib/limits/read";
import { changeAgentLimitInput, changeTenantLimitsInput } from "@/lib/limits/schemas";

const changed = (tenantId: string): readonly BusMessage[] => [{ topic: "limits.changed", tenantId }];

/** Undefined leaves a limit as it is, null takes it away. */
async function setLimit(
  tx: TenantTx,
  tenantId: string,
  target: string,
  perSecond: number | null | undefined,
): Promise<void> {
  if (perSecond === undefined) return;
  if (perSecond === null) await tx.rateLimit.deleteMany({ where: { tenantId, target } });
  else {
    await tx.rateLimit.upsert({
      where: { tenantId_target: { tenantId, target } },
      create: { tenantId, target, perSecond },
      update: { perSecond, changedAt: new Date() },
    });
  }
}

/** Calls per second of the tenant, and of each of its agents that has no limit of its own. */
export const changeTenantLimits = defineWrite({
  permission: "tenant:write",
  input: changeTenantLimitsInput,
  run: async (tx, { tenantId }, { perSecond, agentPerSecond, reason }) => {
    const before = await readTenantLimits(tx, tenantId);
    await setLimit(tx, tenantId, TENANT_TARGET, perSecond);
    await setLimit(tx, tenantId, AGENTS_TARGET, agentPerSecond);
    const after = await readTenantLimits(tx, tenantId);
    return {
      result: after,
      audit: { action: "limits.changed", target: "tenant", before, after, reason },
      publish: changed(tenantId),
    };
  },
});

/** Calls per second of one agent. */
export const changeAgentLimit = defineWrite({
  permission: "agents:write",
  input: changeAgentLimitInput,
  run: async (tx, { tenantId }, { id, perSecond, reason }) => {
    const agent = await tx.agent.findUnique({ where: { tenantId_id: { tenantId, id } }, select: { slug: true } });
    if (agent === null) throw new AppError("not_found", "There is no such agent.");
    const before = (await readTenantLimits(tx, tenantId)).agents[agent.slug] ?? null;
    await setLimit(tx, tenantId, agentTarget(agent.slug), perSecond);
    const after = await readTenantLimits(tx, tenantId);
    return {
      result: after,
      audit: {
        ...{ action: "agent_limit.changed" as const, target: agent.slug, reason },
        ...{ before: { perSecond: before }, after: { perSecond } },
      },
      publish: changed(tenantId),
    };
  },
});
