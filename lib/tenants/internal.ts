import "server-only";
import { appendInTransaction } from "@/lib/audit/append-in-transaction";
import { draftOf } from "@/lib/audit/perform";
import type { RequestContext } from "@/lib/core/context";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { enterChain, type PlatformTx } from "@/lib/db/in-tenant";
import type { TenantCounts } from "@/lib/tenants/views";

type Fact = {
  readonly eventType: string;
  readonly phase: "admin" | "auth";
  readonly target: string;
  readonly reason?: string;
};

/** What the platform does to a tenant stands in that tenant's own chain too, where its officers look. */
export async function alsoInChainOf(tx: PlatformTx, tenantId: string, ctx: RequestContext, fact: Fact): Promise<void> {
  await enterChain(tx, tenantId);
  await appendInTransaction(tx, { ...draftOf(ctx, tenantId), ...fact, outcome: "success" });
  await enterChain(tx, PLATFORM_TENANT_ID);
}

type CountRow = TenantCounts & { readonly tenantId: string };

/** How much each of those tenants holds. */
export async function countsOf(
  tx: PlatformTx,
  tenantIds: readonly string[],
): Promise<(tenantId: string) => TenantCounts> {
  const rows = await tx.$queryRaw<CountRow[]>`
    select t.id as "tenantId",
           (select count(*)::int from members m where m.tenant_id = t.id) as "memberCount",
           (select count(*)::int from servers s where s.tenant_id = t.id) as "serverCount",
           (select count(*)::int from agents a where a.tenant_id = t.id) as "agentCount"
      from tenants t where t.id = any(${[...tenantIds]}::uuid[])`;
  const byId = new Map(rows.map(({ tenantId, ...counts }) => [tenantId, counts]));
  return (tenantId) => byId.get(tenantId) ?? { memberCount: 0, serverCount: 0, agentCount: 0 };
}
