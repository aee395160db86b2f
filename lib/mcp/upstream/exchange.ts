import type { Dispatcher, Pool } from "undici";
import { type Headers, makeAnswerReader } from "@/lib/mcp/upstream/answer-reader";
import { broken, connectionFault, stopped } from "@/lib/mcp/upstream/faults";
import type { Deadline } from "@/lib/resilience/deadline";

export type Exchanged = {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON body, or the event that was waited for. Null when there was none. */
  readonly body: Uint8Array | null;
};

/** How many requests to one server wait for a connection now. */
export type WaitingLine = { waiting: number };

export type ExchangeOptions = {
  readonly line?: WaitingLine;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly deadline: Deadline;
  readonly method?: "POST" | "DELETE" | "GET";
  /** Sees each event of an event stream; true means this is the one that was waited for. */
  readonly onEvent: (data: string) => boolean;
};

/**
 * One POST and its answer, bounded in time and bytes. Works on the dispatcher itself:
 * the request API above it costs a stream per call, which is most of the price of a call.
 */
export function exchange(pool: Pool, options: ExchangeOptions): Promise<Exchanged> {
  const { deadline, line = { waiting: 0 } } = options;
  return new Promise<Exchanged>((resolve, reject) => {
    let controller: Dispatcher.DispatchController | null = null;
    let over = false;
    let waits = false;
    let forget: () => void = () => undefined;

    const stopWaiting = () => {
      if (waits) line.waiting -= 1;
      waits = false;
    };
    const finish = (settle: () => void, leave: boolean) => {
      if (over) return;
      over = true;
      forget();
      stopWaiting();
      settle();
      if (leave) controller?.abort(new Error("done"));
    };
    const fail = (error: Error) => finish(() => reject(error), true);
    const onStop = () => fail(stopped(deadline.stopped() ?? "cancelled"));
    const onEvent = (data: string) => {
      if (over || !options.onEvent(data)) return;
      // The rest of the stream is of no interest; leaving it frees the connection.
      finish(() => resolve(exchanged(Buffer.from(data))), true);
    };
    const answer = makeAnswerReader({ onEvent, onFault: fail });
    const exchanged = (body: Uint8Array | null) => ({ status: answer.status(), headers: answer.headers(), body });

    if (deadline.stopped() !== null) return onStop();
    forget = deadline.onStop(onStop);
    waits = true;
    line.waiting += 1;
    pool.dispatch(
      { path: options.path, method: options.method ?? "POST", headers: options.headers, body: options.body },
      {
        onRequestStart(started) {
          controller = started;
          stopWaiting();
          if (over) started.abort(new Error("left"));
        },
        onResponseStart: (_controller, status, headers) => answer.begin(status, headers),
        onResponseData(_controller, chunk) {
          if (!over) answer.take(chunk);
        },
        onResponseEnd: () => finish(() => resolve(exchanged(answer.body())), false),
        onResponseError(_controller, cause) {
          finish(() => reject(answer.status() === 0 ? connectionFault(cause) : broken("it was cut off", cause)), false);
        },
      },
    );
  });
}
