import { isIP } from "node:net";
import { LRUCache } from "lru-cache";
import { AppError } from "@/lib/core/errors";
import type { DoorRequest } from "@/lib/mcp/door/door-request";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

const refused = (why: string): AppError => new AppError("origin_refused", `This request may not enter here: ${why}.`);

/** A name that can stand for another address tomorrow, and so for us by DNS rebinding. Literals cannot. */
function isLiteral(hostname: string): boolean {
  return LOOPBACK.has(hostname) || isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
}

/** Callers name the same few hosts over and over, and reading one costs more than all other guards. */
const hostnames = new LRUCache<string, { readonly hostname: string | null }>({ max: 200 });

function hostnameOf(host: string): string | null {
  const found = hostnames.get(host);
  if (found !== undefined) return found.hostname;
  const hostname = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : null;
  if (host.length <= 300) hostnames.set(host, { hostname });
  return hostname;
}

let known: { readonly base: string; readonly origin: string; readonly hostname: string } | null = null;

function own(base: string): { readonly origin: string; readonly hostname: string } {
  if (known?.base !== base) known = { base, origin: new URL(base).origin, hostname: new URL(base).hostname };
  return known;
}

/** Refuses requests that a web page elsewhere caused (PROTOCOL: Origin, and Host against DNS rebinding). */
export function guardOrigin(header: DoorRequest["header"], base: string): void {
  const us = own(base);
  const host = header("host");
  const hostname = host === null ? null : hostnameOf(host);
  if (hostname === null || (hostname !== us.hostname && !isLiteral(hostname))) {
    throw refused("its Host is not this server; the operator may set PUBLIC_URL");
  }
  const origin = header("origin");
  if (origin === null || origin === us.origin) return;
  const from = URL.canParse(origin) ? new URL(origin) : null;
  if (from === null || from.host !== host || !isLiteral(from.hostname)) throw refused("its Origin is not this server");
}

/** What the transport asks of a POST: JSON in, and JSON among what may come out. */
export function guardMedia(header: DoorRequest["header"]): void {
  const type = header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new AppError("unsupported_media_type", "Send Content-Type: application/json.");
  }
  const accept = header("accept");
  if (accept !== null && !/application\/(json|\*)|\*\/\*/i.test(accept)) {
    throw new AppError("not_acceptable", "Send Accept: application/json, text/event-stream.");
  }
}

/** Whether an answer may be a stream of events. */
export const takesStreams = (accept: string | null): boolean =>
  accept === null || /text\/(event-stream|\*)|\*\/\*/i.test(accept);

/** The key in the Authorization header; nowhere else is looked. */
export function bearerOf(header: DoorRequest["header"]): string | null {
  const value = header("authorization");
  const match = value === null ? null : /^bearer +(\S+) *$/i.exec(value);
  return match?.[1] ?? null;
}
