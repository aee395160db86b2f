import "server-only";
import { defineWrite } from "@/lib/db/verbs";
import { requireSoundEndpoint } from "@/lib/servers/check-endpoint";
import { probeNow } from "@/lib/servers/probe-now";
import { probeServerInput, type ServerEndpoint, type ServerProbe } from "@/lib/servers/schemas";
import { nameFromCommand, nameFromUrl, toSlug } from "@/lib/servers/server-names";
import { commandLine } from "@/lib/servers/views";

/** How an endpoint stands in the trail. */
export const addressOf = (endpoint: ServerEndpoint): string =>
  endpoint.transport === "stdio" ? commandLine(endpoint) : endpoint.url;

const likelySlug = (endpoint: ServerEndpoint): string =>
  toSlug(
    endpoint.transport === "stdio"
      ? nameFromCommand(endpoint.command, endpoint.args)
      : nameFromUrl(new URL(endpoint.url)),
  );

/**
 * Asks a server what it is before it is registered. A write, because it connects or starts a program on somebody's
 * behalf, which belongs in the trail.
 */
export const probeServer = defineWrite({
  permission: "servers:write",
  input: probeServerInput,
  prepare: (_ctx, { endpoint, credential }): Promise<ServerProbe> => {
    requireSoundEndpoint(endpoint, credential);
    return probeNow(likelySlug(endpoint), endpoint, credential);
  },
  run: async (_tx, _ctx, { endpoint }, probe) => ({
    result: probe,
    audit: {
      action: "server.probed",
      target: addressOf(endpoint),
      after: {
        ok: probe.ok,
        era: probe.era,
        serverName: probe.serverName,
        tools: probe.tools.length,
        error: probe.error,
      },
    },
  }),
});
