import { decide } from "@/lib/access/decide";
import { type Soon, soon } from "@/lib/core/soon";
import type { ToolCall } from "@/lib/gateway/tool-call";
import { mismatch } from "@/lib/mcp/door/envelope";
import type { Visit } from "@/lib/mcp/door/visit";
import { hasParamHeaders, paramMismatch } from "@/lib/mcp/upstream/param-headers";
import type { Json } from "@/lib/mcp/upstream/protocol";

/**
 * Refuses a call whose `Mcp-Param-*` headers say something else than its body: what stands between may have let it pass
 * for what the headers say. Who may not call the tool is told nothing of its schema: that refusal comes further on.
 */
export function checkMirroredParams(visit: Visit, call: Pick<ToolCall, "ref" | "args">): Soon<void> {
  return soon(visit.gateway.servers(visit.identity.tenantId), (servers) => {
    const schema = servers.get(call.ref.server)?.tools.get(call.ref.tool)?.definition.inputSchema;
    return schema === undefined || !hasParamHeaders(schema) ? undefined : compare(visit, call, schema);
  });
}

async function compare(visit: Visit, { ref, args }: Pick<ToolCall, "ref" | "args">, schema: Json): Promise<void> {
  const { gateway, identity, envelope, header } = visit;
  if (header === undefined) return;
  if (!decide(await gateway.permissionMap(identity.tenantId), identity.permissions, ref).allow) return;
  const found = paramMismatch(schema, args, header);
  // A fault of the message and no error of ours, so that its JSON-RPC code survives.
  if (found !== null) return Promise.reject<void>(mismatch(envelope.id, header(found.header), found.body));
}
