import type { IncomingMessage } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { AppError } from "@/lib/core/errors";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { getGateway } from "@/lib/gateway/compose";
import type { Identity } from "@/lib/gateway/identity";
import { admitConnection, LIMITS } from "@/lib/mcp/door/door";
import type { DoorAnswer, DoorRequest } from "@/lib/mcp/door/door-request";
import { bearerOf } from "@/lib/mcp/door/guards";
import { peerAddressOf } from "@/lib/mcp/door/peer-address";
import { CLOSE } from "@/lib/mcp/door/ws-outbox";
import { DoorSocket } from "@/lib/mcp/door/ws-socket";

/** The one subprotocol that is spoken: a client that does not name it did not mean this door. */
const SUBPROTOCOL = "mcp";
const WS_DOOR = /^\/api\/mcp\/ws(\/(?:p\/)?[^/]+)?\/?$/;
const MAX_SOCKETS = 10_000;
const MAX_PER_AGENT = 256;
const LOOK_EVERY_MS = 15_000;
/** A key that was revoked without a word to us is noticed on a silent socket within this and the age of the key cache. */
const CHECK_KEYS_EVERY_MS = 2_500;

/** A place that is kept for a socket while its handshake is answered. */
type Entering = { readonly agentId: string };
type Sockets = {
  readonly open: Set<DoorSocket>;
  readonly entering: Set<Entering>;
  stopping: boolean;
  timers: readonly NodeJS.Timeout[];
};

const sockets = (): Sockets =>
  singleton("mcp.sockets", () => ({ open: new Set(), entering: new Set(), stopping: false, timers: [] }));

const wss = (): WebSocketServer =>
  singleton(
    "mcp.socket-server",
    () =>
      new WebSocketServer({
        noServer: true,
        clientTracking: false,
        maxPayload: LIMITS.maxBytes,
        // What is small on the wire must not be large in memory.
        perMessageDeflate: false,
        handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
      }),
  );

/** Takes a request to upgrade to a WebSocket: true where it is the door's, which then answers it, whatever it is. */
export function upgradeDoor(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  if (!/^\/api\/mcp(?:\/|$)/.test(path)) return false;
  socket.on("error", () => socket.destroy());
  const match = WS_DOOR.exec(path);
  if (match === null) {
    refuse(socket, { status: 404, headers: { "content-type": "text/plain" }, body: "There is no such socket.\n" });
    return true;
  }
  enter(request, socket, head, { path: `/api/mcp${match[1] ?? ""}`, door: path.slice(0, 100) }).catch(
    (cause: unknown) => {
      logger.error({ err: cause }, "the door could not open a socket");
      socket.destroy();
    },
  );
  return true;
}

type Place = { readonly path: string; readonly door: string };

async function enter(request: IncomingMessage, socket: Duplex, head: Buffer, place: Place): Promise<void> {
  const handshake = toHandshake(request, place);
  let leave: () => void = () => undefined;
  try {
    const admitted = await admitConnection(getGateway(), handshake, (identity) => {
      leave = takeRoom(request, identity);
    });
    if ("refusal" in admitted) return refuse(socket, admitted.refusal);
    // Calls back before it returns, or not at all.
    wss().handleUpgrade(request, socket, head, (opened) => keep(opened, handshake, place, admitted.identity));
  } finally {
    leave();
  }
}

function toHandshake(request: IncomingMessage, { path, door }: Place): DoorRequest {
  return {
    method: "GET",
    path,
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(", ") : (value ?? null);
    },
    body: () => Promise.resolve(new Uint8Array()),
    signal: new AbortController().signal,
    peerAddress: peerAddressOf(request),
    carried: { connection: "", door },
  };
}

/** Keeps room for a socket, because many may come while this one is recorded; returns what lets go of it. Throws where there is none. */
function takeRoom(request: IncomingMessage, { actor }: Identity): () => void {
  const { open, entering, stopping } = sockets();
  if (stopping) throw new AppError("unavailable", "This process is stopping.", { retryAfterMs: 1_000 });
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((each) => each.trim());
  if (!offered.includes(SUBPROTOCOL)) {
    throw new AppError("invalid_input", `Offer the subprotocol ${SUBPROTOCOL} (Sec-WebSocket-Protocol).`);
  }
  if (open.size + entering.size >= MAX_SOCKETS) {
    throw new AppError("overloaded", "Too many sockets are open. Try again shortly.", { retryAfterMs: 10_000 });
  }
  let mine = 0;
  for (const { identity } of open) if (identity.actor.id === actor.id) mine += 1;
  for (const { agentId } of entering) if (agentId === actor.id) mine += 1;
  if (mine >= MAX_PER_AGENT) {
    throw new AppError("rate_limited", `No more than ${MAX_PER_AGENT} sockets of one agent may be open at once.`, {
      retryAfterMs: 10_000,
    });
  }
  const own: Entering = { agentId: actor.id };
  entering.add(own);
  return () => entering.delete(own);
}

function keep(opened: WebSocket, handshake: DoorRequest, place: Place, identity: Identity): void {
  const all = sockets();
  const socket = new DoorSocket({ socket: opened, handshake, ...place, identity });
  all.open.add(socket);
  if (all.timers.length === 0) watch(all);
  opened.on("close", () => {
    all.open.delete(socket);
    if (all.open.size === 0) rest(all);
  });
  // The stop may have come while the handshake was answered.
  if (all.stopping) socket.drain();
}

/** Looks after all sockets with two timers, while there are any. */
function watch(all: Sockets): void {
  let checking = false;
  const check = async () => {
    if (checking) return;
    checking = true;
    await closeRefused(all).catch((cause: unknown) => logger.warn({ err: cause }, "the keys could not be checked"));
    checking = false;
  };
  const look = () => {
    for (const socket of all.open) socket.lookAlive();
  };
  all.timers = [setInterval(() => void check(), CHECK_KEYS_EVERY_MS), setInterval(look, LOOK_EVERY_MS)];
  for (const timer of all.timers) timer.unref();
}

function rest(all: Sockets): void {
  for (const timer of all.timers) clearInterval(timer);
  all.timers = [];
}

/** Closes the sockets whose key is no longer good, so that nothing more is told to them; each key is asked for once. */
async function closeRefused({ open }: Sockets): Promise<void> {
  for (const [key, holders] of groupByKey(open)) {
    const check = await getGateway().checkKey(key);
    if (!check.ok) for (const each of holders) each.close(CLOSE.policy, "the key is no longer good");
  }
}

function groupByKey(open: Iterable<DoorSocket>): Map<string, DoorSocket[]> {
  const byKey = new Map<string, DoorSocket[]>();
  for (const socket of open) {
    const key = bearerOf(socket.header) ?? "";
    const same = byKey.get(key) ?? [];
    same.push(socket);
    byKey.set(key, same);
  }
  return byKey;
}

/** Answers a handshake that is refused as an HTTP request would be, and closes. */
function refuse(socket: Duplex, { status, headers, body }: DoorAnswer): void {
  const text = typeof body === "string" ? body : "";
  const all = { ...headers, connection: "close", "content-length": String(Buffer.byteLength(text)) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  // Nobody else looks after it any more: who does not close its side would keep it for ever.
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n${text}`);
}

/** Takes no more sockets; those that are open are closed with 1001 when what they asked is answered. */
export function drainSockets(): void {
  const all = sockets();
  all.stopping = true;
  for (const socket of all.open) socket.drain();
}

/** Cuts the sockets that are still open. */
export function endSockets(): void {
  for (const socket of sockets().open) socket.end();
}
