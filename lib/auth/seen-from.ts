import { clientAddress } from "@/lib/core/client-address";
import { requestIdOf } from "@/lib/core/http-headers";
import { newId } from "@/lib/core/ids";
import { trustedProxies } from "@/lib/env";

const MAX_USER_AGENT = 400;

/**
 * Where a request came from. The last address of X-Forwarded-For is the one our own server saw; what stands before it can be
 * written by the caller, unless it was one of TRUSTED_PROXIES that we saw.
 */
export function seenFrom(headers: Headers): { requestId: string; ip: string | null; userAgent: string | null } {
  const hops = (headers.get("x-forwarded-for") ?? "").split(",");
  const peer = hops.pop() ?? null;
  return {
    requestId: requestIdOf(headers, newId),
    ip: clientAddress(peer, hops.join(","), trustedProxies()),
    userAgent: headers.get("user-agent")?.slice(0, MAX_USER_AGENT) ?? null,
  };
}
