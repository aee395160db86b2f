import { Pool } from "undici";
import { logger } from "@/lib/core/logger";
import type { Soon } from "@/lib/core/soon";
import { checkUrl, guardedConnector } from "@/lib/mcp/upstream/egress-guard";
import { type Exchanged, exchange, type WaitingLine } from "@/lib/mcp/upstream/exchange";
import { broken, httpRefusal, rpcRefusal } from "@/lib/mcp/upstream/faults";
import { type Hearing, hearAll, makeHearing, parseEvent } from "@/lib/mcp/upstream/hear-stream";
import { LARGE_BYTES, readLarge } from "@/lib/mcp/upstream/large-answers";
import type { ReadMessage } from "@/lib/mcp/upstream/large-message";
import { parseMessage } from "@/lib/mcp/upstream/messages";
import type { UpstreamPolicy } from "@/lib/mcp/upstream/policy";
import { type Connections, isRecord, type Json, type UpstreamRequest } from "@/lib/mcp/upstream/protocol";
import { inTurns } from "@/lib/mcp/upstream/read-in-turns";
import { makeReplies } from "@/lib/mcp/upstream/replies";
import { untilStopped } from "@/lib/mcp/upstream/until-stopped";
import { makeWarmSockets, type WarmSockets } from "@/lib/mcp/upstream/warm-sockets";
import { type Deadline, startDeadline } from "@/lib/resilience/deadline";

export type HttpWireOptions = {
  readonly url: string;
  readonly credential: Readonly<Record<string, string>> | undefined;
  readonly policy: UpstreamPolicy;
  /** For what is no single caller's: agreeing on a version, and our answers to what the server asks. */
  readonly deadlineMs: number;
};

/** One JSON-RPC message on its way to the server; a notification has no id. */
export type Posted = {
  readonly id: number | null;
  readonly method: string;
  readonly params: Json | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly deadline: Deadline;
  readonly onProgress?: UpstreamRequest["onProgress"];
  /** Sees what the server says or asks on the stream of this request. */
  readonly onMessage?: ((message: Json) => void) | undefined;
  /** A stream that ends before the answer is taken up again. */
  readonly takesUp?: boolean | undefined;
  /** Who hears all streams of the request, where there may be several. */
  readonly hearing?: Hearing | undefined;
};

export type HttpWire = {
  readonly nextId: () => number;
  readonly post: (posted: Posted) => Promise<Exchanged>;
  /** Asks for the rest of the stream of a request that was posted before; its place is in the headers. */
  readonly rest: (posted: Posted) => Promise<Exchanged>;
  /** The message in an answer; a promise only where it is so large that it is read beside the loop. */
  readonly read: (answer: Exchanged, deadline: Deadline) => Soon<ReadMessage>;
  /** Sends the answer to a request of the server's. The call in which that was asked may be over by then. */
  readonly reply: (message: Json, headers: Posted["headers"]) => Promise<void>;
  /** Opens the stream on which a server of the sessions era speaks by itself. */
  readonly listen: (
    headers: Posted["headers"],
    deadline: Deadline,
    onMessage: (message: Json) => void,
  ) => Promise<Exchanged>;
  /** Cuts whatever is under way. A session, named by its headers, is ended at the server as well, as far as it takes that. */
  readonly close: (session?: Posted["headers"]) => Promise<void>;
  readonly connections: () => Connections;
  readonly keepWarm: (count: number) => void;
};

/** Elastic: sockets are opened under load, as many as the server's limit lets call at once, and closed when idle. */
const MAX_CONNECTIONS = 4_096;
/** How often a server in use is looked at for connections that are missing to its base. */
const TOP_UP_EVERY_MS = 1_000;
/** Below the 5 s after which most servers close an idle connection: a call must not meet one that is being closed. */
const KEEP_ALIVE_MS = 4_000;
/** How long a server may take to let a session go. */
const END_SESSION_MS = 2_000;
/** Headers that belong to the transport; a credential must not replace them. */
const OURS = new Set([
  "accept",
  "accept-encoding",
  "content-type",
  "content-length",
  "host",
  "connection",
  "transfer-encoding",
  "upgrade",
]);

/** A credential as headers, without those that belong to the transport. */
export function credentialHeaders(credential: HttpWireOptions["credential"]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(credential ?? {})) {
    const lower = name.toLowerCase();
    const isOurs = OURS.has(lower) || lower.startsWith("mcp-") || lower.startsWith("sec-websocket-");
    if (!isOurs) headers[lower] = value;
  }
  return headers;
}

function makePool(origin: string, { connect }: Pick<WarmSockets, "connect">): Pool {
  return new Pool(origin, {
    connect,
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Our own deadline and byte count are the bounds.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/** JSON-RPC over POST to one address: an answer as JSON or as an event stream. */
export function openHttpWire(options: HttpWireOptions): HttpWire {
  const url = checkUrl(options.url, options.policy);
  const line: WaitingLine = { waiting: 0 };
  const sockets = makeWarmSockets(inTurns(guardedConnector(options.policy)), url, () => line.waiting > 0);
  const pool = makePool(url.origin, sockets);
  const replies = makeReplies(options.deadlineMs);
  let [requests, warm, lastId, toppedUpAt] = [0, 0, 0, Number.NEGATIVE_INFINITY];

  /** Idle connections are closed by either side; a server that is in use gets its base back. */
  function topUp(): void {
    const now = performance.now();
    if (now - toppedUpAt < TOP_UP_EVERY_MS) return;
    toppedUpAt = now;
    sockets.open(warm - pool.stats.connected);
  }
  const path = pathOf(url);
  const base = {
    ...credentialHeaders(options.credential),
    accept: "application/json, text/event-stream",
    // Silence would mean that any coding is welcome.
    "accept-encoding": "identity",
    "content-type": "application/json",
  };
  return {
    nextId: () => ++lastId,
    async post(posted) {
      requests += 1;
      if (warm > 0) topUp();
      const { id, method, params, headers, deadline, takesUp } = posted;
      const body = messageText(id, method, params);
      const options = {
        line,
        path,
        headers: listed(base, headers),
        body,
        deadline,
        takesUp,
        ...waitsFor(posted, pool),
      };
      const answer = await exchange(pool, options);
      if (answer.status >= 300 && answer.status < 400) throw broken("it is a redirect, and those are not followed");
      return answer;
    },
    read: (answer, deadline) => readMessageIn(answer, pool, deadline),
    reply(message, headers) {
      const body = JSON.stringify({ jsonrpc: "2.0", ...message });
      const posted = { line, path, headers: { ...base, ...headers }, body, onEvent: () => true };
      return replies((deadline) => exchange(pool, { ...posted, deadline }));
    },
    ...streamsOver(pool, { line, path, base }),
    async close(session) {
      warm = 0;
      sockets.close();
      await Promise.all([pool.destroy(), session && endSession(options.policy, url, { ...base, ...session })]);
    },
    connections() {
      const { idle, created, handedOut } = sockets.figures();
      return { open: pool.stats.connected + idle, created, reused: Math.max(0, requests - handedOut) };
    },
    keepWarm(count) {
      warm = count;
      topUp();
    },
  };
}

type Way = { readonly line: WaitingLine; readonly path: string; readonly base: Readonly<Record<string, string>> };

/** What is asked for by GET: streams on which a server of the sessions era speaks by itself, or goes on. */
const streamsOver = (pool: Pool, { line, path, base }: Way): Pick<HttpWire, "rest" | "listen"> => ({
  rest(posted) {
    const { deadline } = posted;
    const headers = { ...base, ...posted.headers, accept: "text/event-stream" };
    const options = { line, path, method: "GET", headers, body: null, deadline, takesUp: true } as const;
    return exchange(pool, { ...options, ...waitsFor(posted, pool) });
  },
  listen(given, deadline, onMessage) {
    const headers = { ...base, ...given, accept: "text/event-stream" };
    return exchange(pool, { line, path, method: "GET", headers, body: null, deadline, onEvent: hearAll(onMessage) });
  },
});

/** How the streams of a request are heard: all of them by the same ears, if it was given any. */
const waitsFor = (posted: Posted, owner: object) => {
  const hear = posted.hearing ?? makeHearing(posted);
  return {
    // An event with nothing but an id says where the stream can be taken up.
    onEvent: (data: string) => data !== "" && hear(parseEvent(data)),
    async onLargeEvent(data: Buffer) {
      const read = await readLarge(data, owner, () => posted.deadline.stopped() === null);
      return hear(read.message) ? read : null;
    },
  };
};

const pathOf = ({ pathname, search }: URL): string => `${pathname}${search}`;

/** Over a connection of its own: the others are cut. Servers need not know of it, and may be gone. */
async function endSession(policy: UpstreamPolicy, url: URL, headers: Posted["headers"]): Promise<void> {
  const pool = makePool(url.origin, { connect: guardedConnector(policy) });
  const deadline = startDeadline(END_SESSION_MS);
  try {
    const path = pathOf(url);
    await exchange(pool, { path, method: "DELETE", headers, body: null, deadline, onEvent: () => true });
  } catch (cause) {
    logger.debug({ err: cause, server: url.origin }, "a session at a server could not be ended");
  } finally {
    deadline.release();
    await pool.destroy();
  }
}

/** Headers as the dispatcher likes them best: one list, without those of `base` that `headers` names anew. */
function listed(base: Posted["headers"], headers: Posted["headers"]): string[] {
  const list: string[] = [];
  for (const name of Object.keys(base)) if (!Object.hasOwn(headers, name)) list.push(name, base[name] ?? "");
  for (const name of Object.keys(headers)) list.push(name, headers[name] ?? "");
  return list;
}

function messageText(id: number | null, method: string, params: Json | undefined): string {
  const numbered = id === null ? "" : `"id":${id},`;
  const given = params === undefined ? "" : `,"params":${JSON.stringify(params)}`;
  return `{"jsonrpc":"2.0",${numbered}"method":${JSON.stringify(method)}${given}}`;
}

function readMessageIn(answer: Exchanged, owner: object, deadline: Deadline): Soon<ReadMessage> {
  const { status, body, read } = answer;
  if (read !== undefined) return read;
  if (body === null || body.length < LARGE_BYTES || status >= 400)
    return { message: messageIn(answer), large: undefined };
  return untilStopped(
    readLarge(body, owner, () => deadline.stopped() === null),
    deadline,
  );
}

/** What the stateless revision gives the status 404. */
const METHOD_NOT_FOUND = -32601;

/** The message in an answer's body. A refusal's own words win over its status, unless the status says "broken". */
export function messageIn({ status, body }: Exchanged): Json {
  if (status >= 500 || status === 429 || status === 408) throw httpRefusal(status);
  if (status >= 400) {
    const isReadable = body !== null && body.length < LARGE_BYTES;
    const message = isReadable ? parseEvent(body) : null;
    const error = message?.["error"];
    if (!isRecord(error)) throw httpRefusal(status);
    // 404 is how a server of the sessions era says that it no longer knows the session, whatever else it says.
    if (status === 404 && error["code"] !== METHOD_NOT_FOUND) throw httpRefusal(status);
    throw rpcRefusal(error, status);
  }
  if (body === null) throw broken("it is empty");
  return parseMessage(body);
}
