import "server-only";
import { decide } from "@/lib/access/decide";
import { readLatestVersion } from "@/lib/access/map-versions";
import { toPermissionMap } from "@/lib/access/permission-map";
import { type AgentRow, requireAgent, rolesInForce } from "@/lib/agents/internal";
import { readLastCalls } from "@/lib/agents/last-calls";
import type { AgentDetail, AgentView } from "@/lib/agents/schemas";
import { toAgentDetail } from "@/lib/agents/views";
import type { TenantTx } from "@/lib/db/in-tenant";

/** Every tool of every enabled server with what the road would say to this agent. */
async function effectiveTools(tx: TenantTx, row: AgentRow): Promise<AgentDetail["tools"]> {
  const { tenantId } = row;
  const latest = await readLatestVersion(tx, tenantId);
  const map = toPermissionMap(latest.version, latest.sha256, latest.rules);
  const held = new Set(rolesInForce(row).flatMap((role) => role.permissions));
  const tools = await tx.serverTool.findMany({
    where: { tenantId, removedAt: null, server: { status: "enabled" } },
    select: { name: true, server: { select: { slug: true } } },
    orderBy: [{ server: { slug: "asc" } }, { name: "asc" }],
  });
  const active = row.status === "active";
  return tools.map(({ name, server }) => {
    const decision = decide(map, held, { server: server.slug, tool: name });
    return { server: server.slug, tool: name, allowed: active && decision.allow, permission: decision.needed };
  });
}

/** An agent with its keys and effective tools, as it is in this transaction. */
export async function readAgentDetail(tx: TenantTx, tenantId: string, id: string): Promise<AgentDetail> {
  const row = await requireAgent(tx, tenantId, id);
  const last = (await readLastCalls(tx, tenantId, [id])).get(id);
  return toAgentDetail(row, last?.ts ?? null, await effectiveTools(tx, row));
}

/** What of an agent stands in the trail. */
export function auditedAgent({ slug, name, description, owner, status, roles }: AgentView) {
  return { slug, name, description, owner: owner.memberId, status, roles };
}
