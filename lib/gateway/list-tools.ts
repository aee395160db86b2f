import "server-only";
import { decide, type PermissionMap } from "@/lib/access/decide";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Identity } from "@/lib/gateway/identity";
import { requireCallerAlive } from "@/lib/gateway/require-alive";
import type { RegisteredServer, ServersBySlug, ToolDefinition } from "@/lib/servers/registered-server";

/** What separates server and tool in a name on the joint door. No slug contains it, so the first one is the border. */
export const SEPARATOR = "__";

/** The list as it goes over the wire: serialised once, because many callers hold the same permissions. */
export type Catalog = { readonly count: number; readonly json: string; readonly bytes: number };

/** By the servers themselves (replaced when they change), then by map, permissions and door. */
const catalogs = new WeakMap<ServersBySlug, Map<string, Catalog>>();
const keys = new WeakMap<ReadonlySet<string>, string>();
const MAX_PER_TENANT = 256;

function keyOf(permissions: ReadonlySet<string>): string {
  const found = keys.get(permissions);
  if (found !== undefined) return found;
  const made = [...permissions].sort().join(",");
  keys.set(permissions, made);
  return made;
}

/**
 * The tools this identity may call: the same `decide()` as for a call, so listed and callable are one set. One that is
 * stopped reads no list; tools that are stopped stay listed, as those of a server that is down, and are refused when called.
 */
export async function listTools(
  gateway: Pick<GatewayDeps, "permissionMap" | "servers" | "killSwitches">,
  identity: Identity,
  serverSlug: string | null,
  era: "modern" | "legacy" = "legacy",
): Promise<Catalog> {
  await requireCallerAlive(gateway, identity, null);
  const [map, servers] = await Promise.all([
    gateway.permissionMap(identity.tenantId),
    gateway.servers(identity.tenantId),
  ]);
  const known = catalogs.get(servers) ?? new Map<string, Catalog>();
  catalogs.set(servers, known);
  const marked = era === "modern" && [...servers.values()].some((server) => server.unavailableSince !== undefined);
  const key = `${marked ? "marked" : ""}|${serverSlug ?? ""}|${map.version}|${map.sha256}|${keyOf(identity.permissions)}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = makeCatalog(callable(map, identity, servers, serverSlug, marked));
  if (known.size >= MAX_PER_TENANT) known.clear();
  known.set(key, made);
  return made;
}

function* callable(
  map: PermissionMap,
  identity: Identity,
  servers: ServersBySlug,
  only: string | null,
  marked: boolean,
) {
  for (const server of servers.values()) {
    if (only !== null && server.slug !== only) continue;
    for (const [name, { definition, held }] of server.tools) {
      const { allow } = decide(map, identity.permissions, { server: server.slug, tool: name });
      // What nobody has looked at yet, no model should read.
      if (allow && held !== "unseen")
        yield withHealth(only === null ? joint(server, definition) : definition, server, marked);
    }
  }
}

/** Where a tool says that its server does not answer now; what is listed is what it offered last. */
const HEALTH = "dev.countersign/health";

const withHealth = (
  definition: ToolDefinition,
  { unavailableSince }: RegisteredServer,
  marked: boolean,
): ToolDefinition =>
  marked && unavailableSince !== undefined
    ? ({ ...definition, _meta: { [HEALTH]: { status: "unavailable", since: unavailableSince } } } as ToolDefinition)
    : definition;

const joint = (server: RegisteredServer, definition: ToolDefinition): ToolDefinition => ({
  ...definition,
  name: `${server.slug}${SEPARATOR}${definition.name}`,
});

function makeCatalog(definitions: Iterable<ToolDefinition>): Catalog {
  const tools = [...definitions].sort((a, b) => (a.name < b.name ? -1 : 1));
  const json = JSON.stringify(tools);
  return { count: tools.length, json, bytes: Buffer.byteLength(json) };
}
