import "server-only";
import { platformSql } from "@/lib/db/sql";
import { circuits } from "@/lib/gateway/circuits";
import { getGateway } from "@/lib/gateway/compose";
import { removeDeadHomes } from "@/lib/mcp/upstream/stdio-homes";
import { enabledServers } from "@/lib/servers/registry";
import type { PoolView } from "@/lib/servers/schemas";

const NONE = { open: 0, created: 0, reused: 0 };

/** The places and connections of this process to each of a tenant's servers that was reached, by slug. */
export function poolViews(tenantId: string): Map<string, PoolView> {
  const connections = getGateway().upstreams.connections(tenantId);
  return new Map(
    [...circuits().seats(tenantId)].map(([slug, { maxConcurrent, maxQueued, inUse, queued, exhausted, refused }]) => [
      slug,
      { inUse, queued, maxConcurrent, maxQueued, exhausted, refused, ...(connections.get(slug) ?? NONE) },
    ]),
  );
}

const TENANTS = "select distinct tenant_id from servers where status = 'enabled' limit 1000";

/**
 * At the start: opens each server's base of connections, or programs, and puts its circuit's rules into force. What
 * programs of a killed process left behind is removed first.
 */
export async function warmPools(): Promise<void> {
  removeDeadHomes();
  const { rows } = await platformSql((client) => client.query<{ tenant_id: string }>(TENANTS));
  const { upstreams, circuits: held } = getGateway();
  for (const { tenant_id } of rows) {
    const servers = [...(await enabledServers(tenant_id)).values()];
    held.review(servers);
    for (const server of servers) upstreams.of(server);
  }
}
