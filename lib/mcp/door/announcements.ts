import { decide } from "@/lib/access/decide";
import { PROMPTS, RESOURCES } from "@/lib/access/primitives";
import { bus } from "@/lib/core/bus";
import { listenTo, UPDATED } from "@/lib/gateway/ears";
import { killedBy } from "@/lib/gateway/require-alive";
import type { Visit } from "@/lib/mcp/door/methods";
import { jointUri, type Place } from "@/lib/mcp/door/names";
import type { Json, Notice } from "@/lib/mcp/upstream/protocol";

/** What a client wants to hear of, in the words of `subscriptions/listen`, its resources as places. */
export type Wanted = {
  readonly tools: boolean;
  readonly prompts: boolean;
  readonly resources: boolean;
  readonly places: readonly Place[];
};

const TOOLS_CHANGED = "notifications/tools/list_changed";
const PROMPTS_CHANGED = "notifications/prompts/list_changed";
const RESOURCES_CHANGED = "notifications/resources/list_changed";

/** Messages of ours after which a caller may see something else than before. */
const CHANGES_LISTS = new Set(["server.changed", "permission_map.changed", "role.changed", "agent.changed"]);
/** Changes come in bursts; a client asks anew once. */
const GATHER_MS = 50;

/**
 * Tells a client what changes: what its servers announce, and what we change ourselves, each only where this caller may
 * see it. A server that a kill switch stops is not heard any more. Returns the function that ends it.
 */
export async function announce(visit: Visit, wanted: Wanted, tell: (notice: Notice) => void): Promise<() => void> {
  const { gateway, identity, server: only } = visit;
  const { tenantId } = identity;
  const [map, servers, switches] = await Promise.all([
    gateway.permissionMap(tenantId),
    gateway.servers(tenantId),
    gateway.killSwitches(tenantId),
  ]);
  const at = (server: string) => ({ identity, ref: { server, tool: "" } });
  const may = (server: string, tool: string) =>
    servers.get(server)?.withheld?.has(tool) !== true && decide(map, identity.permissions, { server, tool }).allow;
  const waiting = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
  const tellSoon = (...methods: (string | false)[]) => {
    for (const method of methods) if (method !== false) waiting.add(method);
    timer ??= setTimeout(() => {
      timer = null;
      for (const method of waiting) tell({ method, params: {} });
      waiting.clear();
    }, GATHER_MS);
  };
  const ends = [...servers.values()]
    .filter(({ slug }) => (only === null || slug === only) && killedBy(switches, at(slug)) === null)
    .filter(
      ({ slug, tools }) => may(slug, RESOURCES) || may(slug, PROMPTS) || [...tools.keys()].some((t) => may(slug, t)),
    )
    .map((server) => {
      const { slug } = server;
      const uris = may(slug, RESOURCES)
        ? wanted.places.filter((place) => place.server === slug).map(({ name }) => name)
        : [];
      const hears: Readonly<Record<string, boolean>> = {
        [TOOLS_CHANGED]: wanted.tools,
        [PROMPTS_CHANGED]: wanted.prompts && may(slug, PROMPTS),
        [RESOURCES_CHANGED]: wanted.resources && may(slug, RESOURCES),
      };
      const end = listenTo(gateway, server, uris, ({ method, params }) => {
        if (hears[method] === true) tellSoon(method);
        if (method === UPDATED) tell(updated(visit, slug, params));
      });
      const leave = gateway.inFlight.enter(at(slug), end);
      return () => {
        leave();
        end();
      };
    });
  ends.push(
    bus.subscribe((message) => {
      if (!CHANGES_LISTS.has(message.topic) || !("tenantId" in message) || message.tenantId !== tenantId) return;
      tellSoon(wanted.tools && TOOLS_CHANGED, wanted.prompts && PROMPTS_CHANGED, wanted.resources && RESOURCES_CHANGED);
    }),
  );
  return () => {
    if (timer !== null) clearTimeout(timer);
    for (const end of ends) end();
  };
}

function updated({ server }: Visit, slug: string, params: Json): Notice {
  const { _meta: _, ...rest } = params;
  return { method: UPDATED, params: server === null ? { ...rest, uri: jointUri(slug, params["uri"]) } : rest };
}
