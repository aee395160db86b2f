import { type AppError, isAppError } from "@/lib/core/errors";
import { hear } from "@/lib/mcp/upstream/dialogue";
import { broken, stopped } from "@/lib/mcp/upstream/faults";
import { parseMessage, progressOf, requestMeta, resultOf } from "@/lib/mcp/upstream/messages";
import {
  type Dialogue,
  isRecord,
  type Json,
  type Notice,
  type Progress,
  type UpstreamAnswer,
} from "@/lib/mcp/upstream/protocol";
import { type StdioChild, type StdioChildOptions, startStdioChild } from "@/lib/mcp/upstream/stdio-child";
import type { Deadline } from "@/lib/resilience/deadline";

export type SessionOptions = Pick<StdioChildOptions, "endpoint" | "credential" | "policy"> & {
  /** Hears what the program says by itself. */
  readonly onNotice?: (notice: Notice) => void;
};

const OPEN_BRACE = 0x7b;

type Waiting = {
  readonly answer: (message: Json, bytes: number) => void;
  readonly fail: (fault: AppError) => void;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly dialogue: Dialogue | undefined;
};

/** One running program and the requests it has not answered yet. */
export type Session = {
  readonly ask: (method: string, params: Json, deadline: Deadline, extra?: Extra) => Promise<UpstreamAnswer>;
  readonly tell: (method: string, params: Json) => void;
  readonly isGone: () => boolean;
  readonly end: () => Promise<void>;
};
type Extra = {
  readonly modern: boolean;
  readonly onProgress?: Waiting["onProgress"];
  readonly dialogue?: Dialogue | undefined;
  readonly capabilities?: Json;
};

/** Starts the program and speaks newline-delimited JSON-RPC with it. */
export function startSession(options: SessionOptions): Session {
  const waiting = new Map<number, Waiting>();
  let gone: AppError | null = null;
  let lastId = 0;

  const onGone = (fault: AppError) => {
    gone = fault;
    for (const each of waiting.values()) each.fail(fault);
    waiting.clear();
  };
  const child: StdioChild = startStdioChild({
    ...options,
    onGone,
    onLine: (line) => receive(child, waiting, line, options),
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
        const onStop = () => {
          leave();
          child.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: id } });
          reject(stopped(deadline.stopped() ?? "cancelled"));
        };
        if (deadline.stopped() !== null) return onStop();
        forget = deadline.onStop(onStop);
        waiting.set(id, {
          onProgress: extra.onProgress,
          dialogue: extra.dialogue,
          fail: (fault) => {
            leave();
            reject(fault);
          },
          answer: (message, bytes) => {
            leave();
            try {
              resolve({ result: resultOf(message, id, extra.dialogue !== undefined), bytes });
            } catch (cause) {
              reject(cause as Error);
            }
          },
        });
        const token = extra.onProgress === undefined ? null : id;
        const meta = requestMeta(extra.modern, token, extra.capabilities, extra.dialogue?.logLevel);
        child.send({ jsonrpc: "2.0", id, method, params: meta === undefined ? params : { ...params, _meta: meta } });
      });
    },
    tell: (method, params) => child.send({ jsonrpc: "2.0", method, params }),
    isGone: () => gone !== null,
    end: () => child.kill(),
  };
}

/** One line of the program: an answer, progress, or a request of its own. */
function receive(
  child: StdioChild,
  waiting: ReadonlyMap<number, Waiting>,
  line: Buffer,
  { onNotice }: SessionOptions,
): void {
  // Some programs print to standard output by mistake; that is nobody's answer.
  if (line[0] !== OPEN_BRACE) return;
  const message = readOrFail(waiting, line);
  if (message === null) return;
  const { id, method } = message;
  if (typeof method !== "string") {
    if (typeof id === "number") waiting.get(id)?.answer(message, line.length);
    return;
  }
  const params = message["params"];
  if (id === undefined) {
    notify(waiting, message);
    onNotice?.({ method, params: isRecord(params) ? params : {} });
  }
  hear(theOnlyDialogue(waiting), (answer) => child.send({ jsonrpc: "2.0", ...answer }))(message);
}

/** A program does not say for which call it asks: only where a single one can be meant is anybody asked. */
function theOnlyDialogue(waiting: ReadonlyMap<number, Waiting>): Dialogue | undefined {
  const [first, second] = waiting.values();
  return second === undefined ? first?.dialogue : undefined;
}

/** An answer that cannot be read names no call, so it fails all that wait. */
function readOrFail(waiting: ReadonlyMap<number, Waiting>, line: Buffer): Json | null {
  try {
    return parseMessage(line);
  } catch (cause) {
    const fault = isAppError(cause) ? cause : broken("it is not JSON", cause);
    for (const each of [...waiting.values()]) each.fail(fault);
    return null;
  }
}

function notify(waiting: ReadonlyMap<number, Waiting>, message: Json): void {
  const params = message["params"];
  const token = isRecord(params) ? params["progressToken"] : undefined;
  if (typeof token !== "number") return;
  const progress = progressOf(message, token);
  if (progress !== null) waiting.get(token)?.onProgress?.(progress);
}
