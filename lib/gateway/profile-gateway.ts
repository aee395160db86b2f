import "server-only";
import type { GatewayDeps, ServersBySlug } from "@/lib/gateway/gateway-deps";
import type { Profile } from "@/lib/profiles/registry";

/** Remembered by the servers and the profile, both replaced when they change: lists made from the part are remembered too. */
const parts = new WeakMap<ServersBySlug, WeakMap<Profile, ServersBySlug>>();

/** The servers with those of their tools that belong to the profile; servers without any are left out. */
export function narrow(servers: ServersBySlug, profile: Profile): ServersBySlug {
  const known = parts.get(servers) ?? new WeakMap<Profile, ServersBySlug>();
  parts.set(servers, known);
  const found = known.get(profile);
  if (found !== undefined) return found;
  const part = new Map(
    [...servers].flatMap(([slug, server]) => {
      const tools = new Map([...server.tools].filter(([tool]) => profile.matches(slug, tool)));
      return tools.size === 0 ? [] : [[slug, { ...server, tools }] as const];
    }),
  );
  known.set(profile, part);
  return part;
}

/**
 * The same gateway with fewer tools in sight. Lists and calls take the same road and ask the same decide(), so a
 * profile can only take away: what is not in it is, at its door, a tool that does not exist.
 */
export const profileGateway = (gateway: GatewayDeps, profile: Profile): GatewayDeps => ({
  ...gateway,
  servers: async (tenantId) => narrow(await gateway.servers(tenantId), profile),
});
