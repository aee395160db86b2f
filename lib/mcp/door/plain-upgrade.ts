import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

/** True where a client wants a WebSocket; others offer HTTP/2 in this way (Java's client does so with each first request). */
export const wantsWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === "websocket";

const OF_THE_UPGRADE = new Set(["upgrade", "http2-settings"]);

/** A header without the offer; null where nothing is left of it. */
function withoutOffer(name: string, value: string): string | null {
  const lower = name.toLowerCase();
  if (OF_THE_UPGRADE.has(lower)) return null;
  if (lower !== "connection") return value;
  const rest = value.split(",").filter((option) => !OF_THE_UPGRADE.has(option.trim().toLowerCase()));
  return rest.length === 0 ? null : rest.join(",").trim();
}

/**
 * Serves a request whose offer to upgrade is declined as the plain request that it also is. Node takes it off the HTTP
 * parser as soon as anybody listens for upgrades: it is put back without the offer.
 */
export function servePlainly(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method = "GET", url = "/", httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    const value = withoutOffer(name, rawHeaders[at + 1] ?? "");
    if (value !== null) lines.push(`${name}: ${value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  server.emit("connection", socket);
}
