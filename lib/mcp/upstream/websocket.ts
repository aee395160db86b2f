import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { buildConnector } from "undici";
import { type ClientOptions, type RawData, WebSocket } from "ws";
import type { AppError } from "@/lib/core/errors";
import type { Channel, ChannelEvents } from "@/lib/mcp/upstream/channel-session";
import { openChannelUpstream } from "@/lib/mcp/upstream/channel-upstream";
import { checkUrl, guardedConnector, WEBSOCKET_URL } from "@/lib/mcp/upstream/egress-guard";
import { broken, connectionFault, httpRefusal, unreachable } from "@/lib/mcp/upstream/faults";
import { credentialHeaders } from "@/lib/mcp/upstream/http-wire";
import { makeNoiseLimit } from "@/lib/mcp/upstream/noise";
import type { UpstreamPolicy } from "@/lib/mcp/upstream/policy";
import { type Json, MAX_ANSWER_BYTES, type Upstream } from "@/lib/mcp/upstream/protocol";
import { inTurns } from "@/lib/mcp/upstream/read-in-turns";

export type WebSocketUpstreamOptions = {
  readonly url: string;
  readonly credential: Readonly<Record<string, string>> | undefined;
  readonly policy: UpstreamPolicy;
  readonly deadlineMs: number;
  readonly capabilities?: Json;
};

const SUBPROTOCOL = "mcp";
const LOOK_EVERY_MS = 20_000;
const CLOSE_GRACE_MS = 500;
/** What may wait for a server that does not read. */
const MAX_UNREAD_BYTES = 16 * 1_024 * 1_024;
const TOO_LARGE = "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";

/** A server over a WebSocket: one connection carries everything, and is opened again when it broke. */
export function openWebSocketUpstream(options: WebSocketUpstreamOptions): Upstream {
  const url = checkUrl(options.url, options.policy, WEBSOCKET_URL);
  return openChannelUpstream({ ...options, open: (events) => openWebSocket(url, options, events) });
}

type Options = Pick<WebSocketUpstreamOptions, "credential" | "policy">;

function openWebSocket(url: URL, options: Options, { onMessage, onGone }: ChannelEvents): Channel {
  const socket = new WebSocket(url, [SUBPROTOCOL], settings(url, options));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const early: string[] = [];
  let [gone, alive] = [false, true];

  const leave = (fault: AppError) => {
    if (gone) return;
    gone = true;
    clearInterval(look);
    onGone(fault);
    end(socket, closed);
  };
  const look = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (!alive) return leave(unreachable("it no longer answers"));
    alive = false;
    socket.ping();
  }, LOOK_EVERY_MS);
  look.unref();
  const count = makeNoiseLimit(leave);

  socket.on("open", () => {
    for (const text of early.splice(0)) socket.send(text);
  });
  socket.on("pong", () => {
    alive = true;
  });
  socket.on("message", (data: RawData, isBinary: boolean) => {
    if (gone) return;
    if (isBinary) return leave(broken("it is a binary frame"));
    const bytes = bytesOf(data);
    const { length } = bytes;
    const heard = onMessage(bytes);
    count(length, heard);
    if (heard instanceof Promise) restUntil(socket, heard);
  });
  // Each is answered, which costs us too.
  socket.on("ping", (data: Buffer) => count(data.length, "ping"));
  socket.on("unexpected-response", (request, response: IncomingMessage) => {
    leave(refusalOf(response.statusCode ?? 0));
    request.destroy();
  });
  socket.on("error", (cause) => leave(faultOf(cause)));
  socket.on("close", (code) => leave(unreachable(`its connection was closed (${code})`)));

  return {
    send(message) {
      if (gone) return;
      const text = JSON.stringify(message);
      if (socket.readyState === WebSocket.CONNECTING) early.push(text);
      else socket.send(text);
      if (socket.bufferedAmount > MAX_UNREAD_BYTES) leave(unreachable("it does not read what it is sent"));
    },
    async kill() {
      leave(unreachable("its connection was closed"));
      await closed;
    },
  };
}

function settings(url: URL, { credential, policy }: Options): ClientOptions {
  return {
    headers: credentialHeaders(credential),
    maxPayload: MAX_ANSWER_BYTES,
    // What is small on the wire must not be large in memory.
    perMessageDeflate: false,
    followRedirects: false,
    // Typed for the ways of calling it that return a socket at once; Node's client takes one that comes later, too.
    createConnection: guardedConnection(url, policy) as unknown as NonNullable<ClientOptions["createConnection"]>,
  };
}

type Connected = (error: Error | null, socket: Duplex | null) => void;

/** The guard of every connection, in the shape that Node's HTTP client asks for one. */
function guardedConnection(url: URL, policy: UpstreamPolicy) {
  const connect = inTurns(guardedConnector(policy));
  const isSecure = url.protocol === "wss:";
  const wanted: buildConnector.Options = {
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    host: url.host,
    protocol: isSecure ? "https:" : "http:",
    port: url.port === "" ? (isSecure ? "443" : "80") : url.port,
  };
  return (_options: unknown, connected: Connected): undefined => {
    connect(wanted, (...[error, socket]) => connected(error, socket));
  };
}

function refusalOf(status: number): AppError {
  if (status >= 300 && status < 400) return broken("it is a redirect, and those are not followed");
  return status < 300 ? broken("it does not speak WebSocket") : httpRefusal(status);
}

function faultOf(cause: Error & { readonly code?: string }): AppError {
  if (cause.code === TOO_LARGE) return broken(`it is larger than ${MAX_ANSWER_BYTES} bytes`, cause);
  return cause.code?.startsWith("WS_ERR_") === true
    ? broken("it breaks the WebSocket protocol", cause)
    : connectionFault(cause);
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** No more is read while a large message is: what waits for that would have no bound. */
function restUntil(socket: WebSocket, done: Promise<unknown>): void {
  socket.pause();
  void done.finally(() => socket.resume());
}

/** Says goodbye, and hangs up where nobody answers that. */
function end(socket: WebSocket, closed: Promise<void>): void {
  if (socket.readyState !== WebSocket.OPEN) return void socket.terminate();
  socket.close(1000);
  const timer = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
  void closed.then(() => clearTimeout(timer));
}
