import "server-only";
import type { TenantTx } from "@/lib/db/in-tenant";

type Call = {
  readonly actorId: string;
  readonly ts: Date;
  readonly eventId: string;
  readonly outcome: string;
  readonly server: string | null;
  readonly tool: string | null;
};

/** The latest finished or refused call of each agent, read by the index on (tenant, actor, time). */
export async function readLastCalls(
  tx: TenantTx,
  tenantId: string,
  agentIds: readonly string[],
): Promise<ReadonlyMap<string, Call>> {
  const calls = await tx.$queryRaw<Call[]>`
    select a.id as "actorId", e.ts, e.event_id as "eventId", e.outcome, e.server, e.tool
      from unnest(${[...agentIds]}::text[]) as a(id)
      cross join lateral (
        select ts, event_id, outcome, server, tool from audit_entries
         where tenant_id = ${tenantId}::uuid and actor_id = a.id and event_type like 'tool_call.%' and phase <> 'intent'
         order by ts desc limit 1) e`;
  return new Map(calls.map((call) => [call.actorId, call]));
}
