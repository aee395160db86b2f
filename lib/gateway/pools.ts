import "server-only";
import { platformSql } from "@/lib/db/sql";
import { circuits } from "@/lib/gateway/circuits";
import { getGateway } from "@/lib/gateway/compose";
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
 * At the start: opens each HTTP server's base of connections and puts its circuit's rules into force. Programs are not
 * started ahead: an idle child costs far more than an idle socket.
 */
export async function warmPools(): Promise<void> {
  const { rows } = await platformSql((client) => client.query<{ tenant_id: string }>(TENANTS));
  const { upstreams, circuits: held } = getGateway();
  for (const { tenant_id } of rows) {
    const servers = [...(await enabledServers(tenant_id)).values()];
    held.review(servers);
    for (const server of servers) if (server.endpoint.transport === "http") upstreams.of(server);
  }
}
