import type { Dispatcher, Pool } from "undici";
import type { AppError } from "@/lib/core/errors";
import { type ByteCollector, makeByteCollector } from "@/lib/mcp/upstream/byte-collector";
import { broken, connectionFault, stopped } from "@/lib/mcp/upstream/faults";
import { MAX_ANSWER_BYTES } from "@/lib/mcp/upstream/protocol";
import { makeSseReader } from "@/lib/mcp/upstream/sse-reader";
import type { Deadline } from "@/lib/resilience/deadline";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export type Exchanged = {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON body, or the event that was waited for. Null when there was none. */
  readonly body: Uint8Array | null;
};

export type ExchangeOptions = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly deadline: Deadline;
  readonly method?: "POST" | "DELETE" | "GET";
  /** Sees each event of an event stream; true means this is the one that was waited for. */
  readonly onEvent: (data: string) => boolean;
};

const isEventStream = (headers: Headers): boolean =>
  String(headers["content-type"] ?? "").startsWith("text/event-stream");

/** What an answer may cost us beside its bytes. Each of these is work of ours that a server could ask for without end. */
const MAX_PIECES = 100_000;
const MAX_EVENTS = 10_000;
const MAX_LINES = 100_000;
const MAX_HINTS = 100;

const tooLarge = () => broken(`it is larger than ${MAX_ANSWER_BYTES} bytes`);

/** What is wrong with an answer, as far as its headers say so. */
function faultIn(headers: Headers): AppError | null {
  if (Number(headers["content-length"] ?? 0) > MAX_ANSWER_BYTES) return tooLarge();
  // We ask for plain bytes; packed ones could be a thousand times as many.
  const coding = String(headers["content-encoding"] ?? "identity").toLowerCase();
  return coding === "identity" || coding === "" ? null : broken(`it is packed (${coding.slice(0, 40)}), unasked`);
}

const wholeOf = (received: ByteCollector): Uint8Array | null => (received.size() === 0 ? null : received.take());

/**
 * One POST and its answer, bounded in time and bytes. Works on the dispatcher itself:
 * the request API above it costs a stream per call, which is most of the price of a call.
 */
export function exchange(pool: Pool, options: ExchangeOptions): Promise<Exchanged> {
  const { deadline } = options;
  return new Promise<Exchanged>((resolve, reject) => {
    let controller: Dispatcher.DispatchController | null = null;
    let over = false;
    let forget: () => void = () => undefined;
    let status = 0;
    let headers: Headers = {};
    let [bytes, pieces, events, lines, hints] = [0, 0, 0, 0, 0];
    const received = makeByteCollector();
    let readEvents: ((chunk: Buffer) => void) | null = null;

    const finish = (settle: () => void, leave: boolean) => {
      if (over) return;
      over = true;
      forget();
      settle();
      if (leave) controller?.abort(new Error("done"));
    };
    const fail = (error: Error) => finish(() => reject(error), true);
    const onStop = () => fail(stopped(deadline.stopped() ?? "cancelled"));
    const onEvent = (data: string) => {
      if (over) return;
      events += 1;
      if (events > MAX_EVENTS) return fail(broken(`it is a stream of more than ${MAX_EVENTS} events`));
      if (!options.onEvent(data)) return;
      // The rest of the stream is of no interest; leaving it frees the connection.
      finish(() => resolve({ status, headers, body: Buffer.from(data) }), true);
    };
    const onLine = () => {
      lines += 1;
      if (lines > MAX_LINES) fail(broken(`it is a stream of more than ${MAX_LINES} lines`));
    };

    if (deadline.stopped() !== null) return onStop();
    forget = deadline.onStop(onStop);
    pool.dispatch(
      { path: options.path, method: options.method ?? "POST", headers: options.headers, body: options.body },
      {
        onRequestStart(started) {
          controller = started;
          if (over) started.abort(new Error("left"));
        },
        onResponseStart(_controller, statusCode, said) {
          // What is told ahead of an answer (103) is no answer.
          if (statusCode < 200) {
            hints += 1;
            if (hints > MAX_HINTS) fail(broken(`more than ${MAX_HINTS} hints come before it`));
            return;
          }
          status = statusCode;
          headers = said;
          const fault = faultIn(said);
          if (fault !== null) return fail(fault);
          if (isEventStream(said)) readEvents = makeSseReader(onEvent, onLine);
        },
        onResponseData(_controller, chunk) {
          if (over) return;
          bytes += chunk.length;
          pieces += 1;
          if (bytes > MAX_ANSWER_BYTES) return fail(tooLarge());
          if (pieces > MAX_PIECES) return fail(broken(`it comes in more than ${MAX_PIECES} pieces`));
          if (readEvents === null) received.add(chunk);
          else readEvents(chunk);
        },
        onResponseEnd() {
          finish(() => resolve({ status, headers, body: readEvents === null ? wholeOf(received) : null }), false);
        },
        onResponseError(_controller, cause) {
          finish(() => reject(status === 0 ? connectionFault(cause) : broken("it was cut off", cause)), false);
        },
      },
    );
  });
}
