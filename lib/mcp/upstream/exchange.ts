import type { Dispatcher, Pool } from "undici";
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

function joined(chunks: readonly Buffer[]): Uint8Array | null {
  const [first] = chunks;
  if (first === undefined) return null;
  return chunks.length === 1 ? first : Buffer.concat(chunks);
}

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
    let bytes = 0;
    const chunks: Buffer[] = [];
    let readEvents: ((chunk: Uint8Array) => void) | null = null;

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
      if (over || !options.onEvent(data)) return;
      // The rest of the stream is of no interest; leaving it frees the connection.
      finish(() => resolve({ status, headers, body: Buffer.from(data) }), true);
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
        onResponseStart(_controller, statusCode, received) {
          status = statusCode;
          headers = received;
          if (isEventStream(received)) readEvents = makeSseReader(onEvent);
        },
        onResponseData(_controller, chunk) {
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) return fail(broken(`it is larger than ${MAX_ANSWER_BYTES} bytes`));
          if (readEvents === null) chunks.push(chunk);
          else readEvents(chunk);
        },
        onResponseEnd() {
          finish(() => resolve({ status, headers, body: readEvents === null ? joined(chunks) : null }), false);
        },
        onResponseError(_controller, cause) {
          finish(() => reject(status === 0 ? connectionFault(cause) : broken("it was cut off", cause)), false);
        },
      },
    );
  });
}
