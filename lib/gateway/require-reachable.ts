import { AppError } from "@/lib/core/errors";
import { type Soon, soon } from "@/lib/core/soon";
import type { Grant } from "@/lib/gateway/authorize";
import type { GatewayDeps } from "@/lib/gateway/gateway-deps";
import { serversFor } from "@/lib/gateway/servers-for";
import { stoppedByAdmin } from "@/lib/gateway/stopped-by-admin";
import type { ToolCall } from "@/lib/gateway/tool-call";
import type { RegisteredServer } from "@/lib/servers/registered-server";

type Deps = Pick<GatewayDeps, "servers">;

/** The server as it stands now; undefined when it was disabled or retired since the call was allowed. */
export const serverNow = (
  gateway: Deps,
  { identity, server }: Grant,
  call: Pick<ToolCall, "server">,
): Soon<RegisteredServer | undefined> =>
  soon(serversFor(gateway, call, identity), (servers) => {
    const found = servers.get(server.slug);
    return found?.id === server.id ? found : undefined;
  });

/**
 * The grant with the server as it stands now, at the last moment before it is asked: a call may have waited long for a
 * place, or for its second try. Throws `server_disabled` or `circuit_open` where a person has closed the server meanwhile.
 */
export const requireReachable = (gateway: Deps, grant: Grant, call: Pick<ToolCall, "server">): Soon<Grant> =>
  soon(serverNow(gateway, grant, call), (server) => {
    if (server === undefined) throw switchedOff(grant);
    if (server === grant.server) return grant;
    if (server.circuit.override === "forced-open") throw stoppedByAdmin(grant.ref.server);
    return { ...grant, server };
  });

export const switchedOff = ({ ref }: Grant, cause?: AppError): AppError => {
  const effect = cause === undefined ? "" : " while the call ran. The call may have had an effect there";
  return new AppError("server_disabled", `The server ${ref.server} was switched off${effect}.`, {}, cause);
};
