import { type AppError, isAppError } from "@/lib/core/errors";
import type { Soon } from "@/lib/core/soon";
import type { TraceContext } from "@/lib/core/trace-context";
import { promiseMemory } from "@/lib/mcp/upstream/answer-memory";
import { hear } from "@/lib/mcp/upstream/dialogue";
import { broken, stopped } from "@/lib/mcp/upstream/faults";
import { answerIn, LARGE_BYTES, readLarge } from "@/lib/mcp/upstream/large-answers";
import type { ReadMessage } from "@/lib/mcp/upstream/large-message";
import { parseMessage, progressOf, requestMeta, tracedMeta } from "@/lib/mcp/upstream/messages";
import type { Heard } from "@/lib/mcp/upstream/noise";
import {
  type Dialogue,
  isRecord,
  type Json,
  type Notice,
  type Progress,
  type UpstreamAnswer,
} from "@/lib/mcp/upstream/protocol";
import type { Deadline } from "@/lib/resilience/deadline";

/** What a connection tells whoever speaks over it. */
export type ChannelEvents = {
  /** A promise only where the message is so large that it is read beside the loop. */
  readonly onMessage: (bytes: Buffer) => Soon<Heard>;
  /** The request with this id could not be sent. */
  readonly onUnsent: (id: number, fault: AppError) => void;
  /** Called once, when the connection is gone or has to go. */
  readonly onGone: (fault: AppError) => void;
};

/** A connection over which messages go both ways: a program's standard streams, a WebSocket, a stream with POSTs beside it. */
export type Channel = {
  readonly send: (message: Json) => void;
  readonly kill: () => Promise<void>;
};

export type OpenChannel = (events: ChannelEvents) => Channel;

/** Hears what the server says by itself. */
type OnNotice = (notice: Notice) => void;

type Waiting = {
  readonly method: string;
  readonly answer: (read: ReadMessage, bytes: number) => void;
  readonly fail: (fault: AppError) => void;
  /** Nobody waits any more, though the server may still be at work on it. */
  readonly giveUp: (fault: AppError) => void;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly dialogue: Dialogue | undefined;
};

/** One open connection and the requests that were not answered yet. */
export type Session = {
  readonly ask: (method: string, params: Json, deadline: Deadline, extra?: Extra) => Promise<UpstreamAnswer>;
  readonly tell: (method: string, params: Json) => void;
  readonly isGone: () => boolean;
  readonly end: () => Promise<void>;
};
type Extra = {
  readonly modern: boolean;
  readonly passesOn?: true | undefined;
  readonly onProgress?: Waiting["onProgress"];
  readonly dialogue?: Dialogue | undefined;
  readonly capabilities?: Json;
  readonly trace?: TraceContext | undefined;
};

/** Opens a connection and speaks JSON-RPC over it. */
export function startSession(open: OpenChannel, onNotice?: OnNotice): Session {
  const waiting = new Map<number, Waiting>();
  const givenUp = new GivenUp();
  let gone: AppError | null = null;
  let lastId = 0;

  const onGone = (fault: AppError) => {
    gone = fault;
    for (const each of waiting.values()) each.fail(fault);
    waiting.clear();
  };
  const channel: Channel = open({
    onGone,
    onUnsent: (id, fault) => waiting.get(id)?.fail(fault),
    onMessage: (bytes) => receive({ channel, waiting, givenUp, onNotice }, bytes),
  });

  return {
    ask(method, params, deadline, extra = { modern: false }) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        if (gone !== null) return reject(gone);
        let forget: () => void = () => undefined;
        const leave = () => {
          waiting.delete(id);
          forget();
        };
        const giveUp = (fault: AppError) => {
          leave();
          if (!OF_OUR_OWN.has(method)) givenUp.add(id);
          channel.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: id } });
          reject(fault);
        };
        const whyStopped = () => stopped(deadline.stopped() ?? "cancelled");
        if (deadline.stopped() !== null) return reject(whyStopped());
        forget = deadline.onStop(() => giveUp(whyStopped()));
        waiting.set(id, {
          method,
          giveUp,
          onProgress: extra.onProgress,
          dialogue: extra.dialogue,
          fail: (fault) => {
            leave();
            reject(fault);
          },
          answer: (read, bytes) => {
            leave();
            try {
              resolve(answerIn(read, id, extra, bytes));
            } catch (cause) {
              reject(cause as Error);
            }
          },
        });
        const token = extra.onProgress === undefined ? null : id;
        const own = requestMeta(extra.modern, token, extra.capabilities, extra.dialogue?.logLevel);
        const meta = tracedMeta(own, extra.trace);
        channel.send({ jsonrpc: "2.0", id, method, params: meta === undefined ? params : { ...params, _meta: meta } });
      });
    },
    tell: (method, params) => channel.send({ jsonrpc: "2.0", method, params }),
    isGone: () => gone !== null,
    end: () => channel.kill(),
  };
}

/** Requests in the course of which no server has anything to ask: they are no client's. */
const OF_OUR_OWN: ReadonlySet<string> = new Set(["ping", "subscriptions/listen", "resources/subscribe"]);

/** How long a call that was given up, and is not answered, may still be worked on. */
const GIVEN_UP_MS = 10 * 60_000;
const MAX_GIVEN_UP = 1_000;

/** Calls that nobody waits for any more, of which the server may not have heard or not want to hear. */
class GivenUp {
  private readonly until = new Map<number, number>();

  add(id: number): void {
    const [oldest] = this.until.keys();
    if (oldest !== undefined && this.until.size >= MAX_GIVEN_UP) this.until.delete(oldest);
    this.until.set(id, performance.now() + GIVEN_UP_MS);
  }

  /** Its answer has come. */
  end(id: number): void {
    this.until.delete(id);
  }

  isEmpty(): boolean {
    for (const [id, until] of this.until) {
      if (until > performance.now()) return false;
      this.until.delete(id);
    }
    return true;
  }
}

type Line = {
  readonly channel: Channel;
  readonly waiting: ReadonlyMap<number, Waiting>;
  readonly givenUp: GivenUp;
  readonly onNotice: OnNotice | undefined;
};

/** One message of the server: an answer, progress, or a request of its own. */
function receive(line: Line, bytes: Buffer): Soon<Heard> {
  const { waiting } = line;
  const { length } = bytes;
  const take = (read: ReadMessage) => takeMessage(line, read, length);
  if (length < LARGE_BYTES) {
    try {
      return take({ message: parseMessage(bytes), large: undefined });
    } catch (cause) {
      return failAll(waiting, cause);
    }
  }
  return takeLarge(bytes, waiting)
    .then(take)
    .catch((cause: unknown) => failAll(waiting, cause));
}

async function takeLarge(bytes: Buffer, waiting: Line["waiting"]): Promise<ReadMessage> {
  // It is held already: where there is too little memory, no longer than this.
  promiseMemory(0).end();
  return readLarge(bytes, waiting, () => waiting.size > 0);
}

function takeMessage({ channel, waiting, givenUp, onNotice }: Line, read: ReadMessage, bytes: number): Heard {
  const { message } = read;
  const { id, method } = message;
  if (typeof method !== "string") {
    const asked = typeof id === "number" ? waiting.get(id) : undefined;
    asked?.answer(read, bytes);
    if (typeof id === "number") givenUp.end(id);
    return asked === undefined ? "stray" : "answer";
  }
  const params = message["params"];
  if (id === undefined) {
    notify(waiting, message);
    onNotice?.({ method, params: isRecord(params) ? params : {} });
  }
  const dialogue = givenUp.isEmpty() ? theOnlyDialogue(waiting) : undefined;
  hear(dialogue, (answer) => channel.send({ jsonrpc: "2.0", ...answer }))(message);
  return id === undefined ? "message" : "asked";
}

/**
 * A server does not say here for which call it asks: only where a single one can be meant is anybody asked. One that was
 * given up may be meant as well, and its question is nobody else's to read or to answer.
 */
function theOnlyDialogue(waiting: ReadonlyMap<number, Waiting>): Dialogue | undefined {
  let only: Waiting | undefined;
  for (const each of waiting.values()) {
    if (OF_OUR_OWN.has(each.method)) continue;
    if (only !== undefined) return undefined;
    only = each;
  }
  return only?.dialogue;
}

/**
 * An answer that cannot be read names no call, so it ends all that wait: with one and the same fault, which a circuit counts
 * once. The connection goes on: where a message ends is known all the same.
 */
function failAll(waiting: ReadonlyMap<number, Waiting>, cause: unknown): Heard {
  const fault = isAppError(cause) ? cause : broken("it is not JSON", cause);
  for (const each of [...waiting.values()]) each.giveUp(fault);
  return "unreadable";
}

function notify(waiting: ReadonlyMap<number, Waiting>, message: Json): void {
  const params = message["params"];
  const token = isRecord(params) ? params["progressToken"] : undefined;
  if (typeof token !== "number") return;
  const progress = progressOf(message, token);
  if (progress !== null) waiting.get(token)?.onProgress?.(progress);
}
