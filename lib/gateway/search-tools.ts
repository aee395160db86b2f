import "server-only";
import { draftOf } from "@/lib/gateway/entry-drafts";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Identity } from "@/lib/gateway/identity";
import { type Catalog, listTools } from "@/lib/gateway/list-tools";
import { makeToolIndex, type ToolIndex } from "@/lib/gateway/rank-tools";
import type { Entrance } from "@/lib/gateway/tool-call";
import type { ToolDefinition } from "@/lib/servers/registered-server";

type Searchable = { readonly tools: readonly ToolDefinition[]; readonly index: ToolIndex };

/** Lists are shared by all who hold the same permissions, and so are their indexes. */
const indexes = new WeakMap<Catalog, Searchable>();

function searchable(catalog: Catalog): Searchable {
  const found = indexes.get(catalog);
  if (found !== undefined) return found;
  const tools = JSON.parse(catalog.json) as ToolDefinition[];
  const made = { tools, index: makeToolIndex(tools) };
  indexes.set(catalog, made);
  return made;
}

export type SearchedTools = { readonly entry: string; readonly tools: readonly Partial<ToolDefinition>[] };

/** The best matches among what this identity may call: made from the very list it would be given. */
export async function searchTools(
  gateway: Pick<GatewayDeps, "permissionMap" | "servers" | "killSwitches" | "append">,
  identity: Identity,
  entrance: Entrance,
  { query, limit }: { readonly query: string; readonly limit: number },
): Promise<SearchedTools> {
  const { tools, index } = searchable(await listTools(gateway, identity, null, entrance.era));
  const found = index.search(query, limit).flatMap((at) => tools[at] ?? []);
  const { eventId } = await gateway.append({
    ...draftOf(identity, entrance),
    ...{ phase: "auth", eventType: "tool_list.searched", outcome: "success", decision: "allowed" },
    ...{ target: entrance.door, count: found.length, payload: { arguments: { query, limit } } },
  });
  return { entry: eventId, tools: found.map(({ outputSchema: _, ...told }) => told) };
}
