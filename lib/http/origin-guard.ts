import { AppError } from "@/lib/core/errors";

/**
 * Refuses a write that another site may have caused. Browsers send a cookie along whoever asks, so a request that
 * lives by its cookie must prove that our own page sent it. Bearer tokens are never sent by themselves and pass.
 */
export function requireSameOrigin(headers: Headers, ownOrigin: string): void {
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin") throw refused(`Sec-Fetch-Site was ${site}`);
  const origin = headers.get("origin");
  if (origin === null) {
    if (site === null) throw refused("neither Origin nor Sec-Fetch-Site was sent");
    return;
  }
  if (origin !== ownOrigin && !isHost(origin, headers.get("host"))) throw refused(`Origin was ${origin.slice(0, 100)}`);
}

/** Cookies are bound to the host that set them, so the host that was asked is the same origin as far as they go. */
function isHost(origin: string, host: string | null): boolean {
  if (host === null || !URL.canParse(origin)) return false;
  return new URL(origin).host === host;
}

const refused = (why: string) => new AppError("origin_refused", `This request did not come from this console: ${why}.`);
