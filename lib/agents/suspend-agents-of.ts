import "server-only";
import { auditedAgent } from "@/lib/agents/detail";
import { AGENT_PARTS, agentChanged, requireMayRule } from "@/lib/agents/internal";
import { toAgentView } from "@/lib/agents/views";
import { appendAllInTransaction } from "@/lib/audit/append-in-transaction";
import { draftOf, requirePermission } from "@/lib/audit/perform";
import type { BusMessage } from "@/lib/core/bus";
import type { RequestContext } from "@/lib/core/context";
import type { TenantTx } from "@/lib/db/in-tenant";

export type SuspendedAgents = { readonly slugs: readonly string[]; readonly publish: readonly BusMessage[] };

/**
 * Suspends every active agent that a member owns, by whoever may suspend each of them alone. An entry for each; what is to be
 * published makes their keys open nothing once this commits. Holds the tenant's chain: call it last in a transaction.
 */
export async function suspendAgentsOf(
  tx: TenantTx,
  ctx: RequestContext,
  ownerMemberId: string,
  reason: string | undefined,
): Promise<SuspendedAgents> {
  const { tenantId } = ctx;
  await requirePermission(ctx, "agents:write", "suspend agents with their owner");
  await requireMayRule(ctx, { ownerMemberId }, "suspend agents of another member");
  // In the order of their ids, as whoever changes several has to. What is locked is what is changed and recorded.
  const locked = await tx.$queryRaw<{ id: string }[]>`select id from agents where tenant_id = ${tenantId}::uuid
    and owner_member_id = ${ownerMemberId}::uuid and status = 'active' order by id for update`;
  const ids = locked.map(({ id }) => id);
  const these = { tenantId, id: { in: ids } };
  const rows = await tx.agent.findMany({ where: these, include: AGENT_PARTS, orderBy: { slug: "asc" } });
  await tx.agent.updateMany({ where: these, data: { status: "suspended" } });
  const drafts = rows.map((row) => {
    const before = auditedAgent(toAgentView(row, null));
    return {
      ...draftOf(ctx, tenantId),
      phase: "admin",
      eventType: "agent.suspended",
      outcome: "success",
      target: row.slug,
      payload: { before, after: { ...before, status: "suspended" } },
      ...(reason === undefined ? {} : { reason }),
    } as const;
  });
  if (drafts.length > 0) await appendAllInTransaction(tx, tenantId, drafts);
  return { slugs: rows.map(({ slug }) => slug), publish: ids.map((id) => agentChanged(tenantId, id)) };
}
