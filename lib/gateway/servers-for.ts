import type { Soon } from "@/lib/core/soon";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Identity } from "@/lib/gateway/identity";
import type { ToolCall } from "@/lib/gateway/tool-call";
import type { ServersBySlug } from "@/lib/servers/registered-server";

/** The servers a call may reach: the enabled ones, or the single one that its door has already fetched. */
export function serversFor(
  gateway: Pick<GatewayDeps, "servers">,
  call: Pick<ToolCall, "server">,
  identity: Identity,
): Soon<ServersBySlug> {
  const { server } = call;
  return server === undefined || server.tenantId !== identity.tenantId
    ? gateway.servers(identity.tenantId)
    : new Map([[server.slug, server]]);
}
