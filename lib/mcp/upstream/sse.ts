import { type Dispatcher, Pool } from "undici";
import { type AppError, isAppError } from "@/lib/core/errors";
import type { Channel, ChannelEvents } from "@/lib/mcp/upstream/channel-session";
import { openChannelUpstream } from "@/lib/mcp/upstream/channel-upstream";
import { checkUrl, guardedConnector } from "@/lib/mcp/upstream/egress-guard";
import { exchange } from "@/lib/mcp/upstream/exchange";
import { broken, connectionFault, httpRefusal, unreachable } from "@/lib/mcp/upstream/faults";
import { credentialHeaders } from "@/lib/mcp/upstream/http-wire";
import { makeNoiseLimit } from "@/lib/mcp/upstream/noise";
import type { UpstreamPolicy } from "@/lib/mcp/upstream/policy";
import { type Json, MAX_ANSWER_BYTES, type Upstream } from "@/lib/mcp/upstream/protocol";
import { inTurns } from "@/lib/mcp/upstream/read-in-turns";
import { makeReplies } from "@/lib/mcp/upstream/replies";
import { makeSseReader } from "@/lib/mcp/upstream/sse-reader";
import { startDeadline } from "@/lib/resilience/deadline";

export type SseUpstreamOptions = {
  readonly url: string;
  readonly credential: Readonly<Record<string, string>> | undefined;
  readonly policy: UpstreamPolicy;
  readonly deadlineMs: number;
  readonly capabilities?: Json;
};

/** One stream, and the POSTs beside it. */
const MAX_CONNECTIONS = 256;
const KEEP_ALIVE_MS = 4_000;
/** What may wait to be read of messages that came. */
const MAX_UNREAD_BYTES = 4 * MAX_ANSWER_BYTES;
/** Bytes of no event that are counted at a time. */
const IDLE_STEP = 64 * 1_024;

/** A server over the transport of revision 2024-11-05: a stream that it speaks on, and an address that it is written to. */
export function openSseUpstream(options: SseUpstreamOptions): Upstream {
  const url = checkUrl(options.url, options.policy);
  return openChannelUpstream({ ...options, open: (events) => openSseChannel(url, options, events) });
}

function openSseChannel(url: URL, options: SseUpstreamOptions, events: ChannelEvents): Channel {
  const pool = new Pool(url.origin, {
    connect: inTurns(guardedConnector(options.policy)),
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Our own deadlines and byte counts are the bounds.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const headers = { ...credentialHeaders(options.credential), "accept-encoding": "identity" };
  const early: Json[] = [];
  let address: string | null = null;
  let gone = false;

  const leave = (fault: AppError) => {
    if (gone) return;
    gone = true;
    events.onGone(fault);
    void pool.destroy();
  };
  const count = makeNoiseLimit(leave);
  const hear = makeHearing(events, count, leave);
  const replies = makeReplies(options.deadlineMs);
  // POSTs overtake each other; nothing may overtake the one that says that we are ready.
  let ready = Promise.resolve();
  const post = (message: Json) => {
    if (address === null) return void early.push(message);
    const posted = { path: address, headers, message, deadlineMs: options.deadlineMs };
    const isReply = !("method" in message);
    const send = async () => (gone ? undefined : postMessage(pool, posted));
    const done = ready
      .then(() => (isReply ? replies(send) : send()))
      .catch((cause: unknown) => {
        const fault = isAppError(cause) ? cause : connectionFault(cause);
        // It no longer knows this stream, so nothing would ever be answered on it.
        if (fault.detail["httpStatus"] === 404) leave(unreachable("it no longer knows this connection"));
        // Our answers bear the server's numbers, which may be those of our own requests.
        else if (typeof message["id"] === "number" && !isReply) events.onUnsent(message["id"], fault);
      });
    if (message["method"] === "notifications/initialized") ready = done;
  };
  const onEvent = (type: string, data: string | Buffer) => {
    if (gone) return;
    if (type === "endpoint" && address === null) {
      address = endpointOf(String(data), url);
      if (address === null) return leave(broken("it names an address of another origin"));
      for (const message of early.splice(0)) post(message);
    } else if (type === "message") hear(data);
    else count(data.length, "message");
  };
  openStream(pool, {
    path: `${url.pathname}${url.search}`,
    headers,
    onEvent,
    onSilence: (bytes) => count(bytes, "message"),
    leave,
    isGone: () => gone,
  });

  return {
    send(message) {
      if (!gone) post(message);
    },
    async kill() {
      leave(unreachable("its connection was closed"));
    },
  };
}

/** The stream goes on while a large message is read, because undici's parser does not bear to be paused; but not for ever. */
function makeHearing(
  { onMessage }: ChannelEvents,
  count: ReturnType<typeof makeNoiseLimit>,
  leave: (fault: AppError) => void,
): (data: string | Buffer) => void {
  let unread = 0;
  return (data) => {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    const { length } = bytes;
    const heard = onMessage(bytes);
    count(length, heard);
    if (!(heard instanceof Promise)) return;
    unread += length;
    void heard.finally(() => {
      unread -= length;
    });
    if (unread > MAX_UNREAD_BYTES) leave(broken("it sends more than can be read"));
  };
}

/** Where to write to: a path of the stream's own origin, or null where the server means another. */
function endpointOf(text: string, stream: URL): string | null {
  if (!URL.canParse(text, stream)) return null;
  const { origin, username, password, pathname, search } = new URL(text, stream);
  return origin === stream.origin && username === "" && password === "" ? `${pathname}${search}` : null;
}

type Posted = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly message: Json;
  readonly deadlineMs: number;
};

/** Writes one message. The answer comes on the stream; what is answered here only says whether it was taken. */
async function postMessage(pool: Pool, { path, headers, message, deadlineMs }: Posted): Promise<void> {
  const deadline = startDeadline(deadlineMs);
  try {
    const { status } = await exchange(pool, {
      path,
      headers: { ...headers, accept: "application/json", "content-type": "application/json" },
      body: JSON.stringify(message),
      deadline,
      onEvent: () => true,
    });
    if (status >= 300 && status < 400) throw broken("it is a redirect, and those are not followed");
    if (status >= 400) throw httpRefusal(status);
  } finally {
    deadline.release();
  }
}

type Stream = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly onEvent: (type: string, data: string | Buffer) => void;
  /** Hears of bytes that belong to no event. */
  readonly onSilence: (bytes: number) => void;
  readonly leave: (fault: AppError) => void;
  readonly isGone: () => boolean;
};

/** Reads the stream until either side ends it. */
function openStream(pool: Pool, { path, headers, onEvent, onSilence, leave, isGone }: Stream): void {
  let unused = 0;
  const take = (type: string, data: string | Buffer) => {
    unused = 0;
    onEvent(type, data);
  };
  const events = makeSseReader({
    onEvent: (data, type) => take(type, data),
    onLargeEvent: (data, type) => take(type, data),
  });
  let open = false;
  const handler: Dispatcher.DispatchHandler = {
    // Its presence says to the pool that the others are meant, too.
    onRequestStart: () => undefined,
    onResponseStart(_controller, status, said) {
      // What is told ahead of an answer (103) is no answer.
      if (status < 200) return;
      if (status >= 300 && status < 400) return leave(broken("it is a redirect, and those are not followed"));
      if (status >= 400) return leave(httpRefusal(status));
      if (!String(said["content-type"] ?? "").startsWith("text/event-stream")) return leave(broken("it is no stream"));
      open = true;
    },
    onResponseData(_controller, chunk) {
      if (isGone() || !open) return;
      unused += chunk.length;
      events.read(chunk);
      // Comments, above all: what is read and becomes no part of an event.
      const idle = unused - events.held();
      if (idle > IDLE_STEP) {
        unused -= idle;
        onSilence(idle);
      }
      if (events.held() > MAX_ANSWER_BYTES) leave(broken(`it is larger than ${MAX_ANSWER_BYTES} bytes`));
    },
    onResponseEnd: () => leave(unreachable("its stream ended")),
    onResponseError: (_controller, cause) =>
      leave(open ? unreachable("its stream was cut off", cause) : connectionFault(cause)),
  };
  pool.dispatch({ path, method: "GET", headers: { ...headers, accept: "text/event-stream" } }, handler);
}
