import "server-only";
import { PROMPTS, RESOURCES } from "@/lib/access/primitives";
import { soon } from "@/lib/core/soon";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import type { Profile } from "@/lib/profiles/registry";
import type { ServersBySlug } from "@/lib/servers/registered-server";

/** Remembered by the servers and the profile, both replaced when they change: lists made from the part are remembered too. */
const parts = new WeakMap<ServersBySlug, WeakMap<Profile, ServersBySlug>>();

const KEYS = [RESOURCES, PROMPTS] as const;

/**
 * The servers with what of them belongs to the profile: their tools by name, their resources and their prompts by the
 * keys that stand for them in the permission map. Servers of which nothing belongs are left out.
 */
export function narrow(servers: ServersBySlug, profile: Profile): ServersBySlug {
  const known = parts.get(servers) ?? new WeakMap<Profile, ServersBySlug>();
  parts.set(servers, known);
  const found = known.get(profile);
  if (found !== undefined) return found;
  const part = new Map(
    [...servers].flatMap(([slug, server]) => {
      const tools = new Map([...server.tools].filter(([tool]) => profile.matches(slug, tool)));
      const withheld = new Set<string>(KEYS.filter((key) => !profile.matches(slug, key)));
      const isOutside = tools.size === 0 && withheld.size === KEYS.length;
      return isOutside ? [] : [[slug, { ...server, tools, withheld }] as const];
    }),
  );
  known.set(profile, part);
  return part;
}

/**
 * The same gateway with less in sight. Lists and calls take the same road and ask the same decide(), so a
 * profile can only take away: what is not in it is, at its door, a tool that does not exist.
 */
export const profileGateway = (gateway: GatewayDeps, profile: Profile): GatewayDeps => ({
  ...gateway,
  servers: (tenantId) => soon(gateway.servers(tenantId), (servers) => narrow(servers, profile)),
});
