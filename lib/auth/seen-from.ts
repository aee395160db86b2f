import { requestIdOf } from "@/lib/core/http-headers";
import { newId } from "@/lib/core/ids";

const MAX_USER_AGENT = 400;

/**
 * Where a request came from. The last address of X-Forwarded-For is the one our own server (or the nearest proxy)
 * saw; everything before it can be written by the caller.
 */
export function seenFrom(headers: Headers): { requestId: string; ip: string | null; userAgent: string | null } {
  const last = headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? "";
  return {
    requestId: requestIdOf(headers, newId),
    ip: /^[0-9a-fA-F.:]{2,45}$/.test(last) ? last.replace(/^::ffff:/, "") : null,
    userAgent: headers.get("user-agent")?.slice(0, MAX_USER_AGENT) ?? null,
  };
}
