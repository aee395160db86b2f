import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

/** True where a client wants a WebSocket; others offer HTTP/2 in this way (Java's client does so with each first request). */
export const wantsWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === "websocket";

const OF_THE_UPGRADE = new Set(["upgrade", "connection", "http2-settings"]);

/**
 * Serves a request whose offer to upgrade is declined as the plain request that it also is. Node takes it off the HTTP
 * parser as soon as anybody listens for upgrades: it is put back without the offer.
 */
export function servePlainly(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method = "GET", url = "/", rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (!OF_THE_UPGRADE.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  server.emit("connection", socket);
}
