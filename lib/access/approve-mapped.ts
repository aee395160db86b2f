import "server-only";
import type { KnownTool } from "@/lib/access/known-tools";
import { ruleKey } from "@/lib/access/permission-map";
import { actorName, type RequestContext } from "@/lib/core/context";
import type { TenantTx } from "@/lib/db/in-tenant";

/**
 * Takes the rows of servers for the rest of the transaction, so that none of their tools is defined anew in between. In
 * one order, and before the lock of the map, so that nobody waits for somebody who waits for them.
 */
export async function lockServers(tx: TenantTx, tenantId: string, slugs: readonly string[]): Promise<void> {
  if (slugs.length === 0) return;
  await tx.$executeRaw`select 1 from servers where tenant_id = ${tenantId}::uuid and slug = any(${[...new Set(slugs)]})
    order by id for update`;
}

/** Notes who took the definitions of tools that are mapped for the first time. Returns their digests; null where there is none. */
export async function approveMapped(
  tx: TenantTx,
  { tenantId, actor }: RequestContext,
  mapped: readonly KnownTool[],
): Promise<Readonly<Record<string, string>> | null> {
  const unseen = mapped.flatMap(({ server, tool, definition }) =>
    definition?.isUnseen === true ? [{ server, tool, ...definition }] : [],
  );
  if (unseen.length === 0) return null;
  const names = new Map<string, string[]>();
  for (const { serverId, tool } of unseen) names.set(serverId, [...(names.get(serverId) ?? []), tool]);
  const data = { approvedAt: new Date(), approvedBy: actorName(actor) };
  for (const [serverId, its] of names) {
    await tx.serverTool.updateMany({ where: { tenantId, serverId, name: { in: its } }, data });
  }
  return Object.fromEntries(unseen.map(({ server, tool, sha256 }) => [ruleKey(server, tool), sha256]));
}
