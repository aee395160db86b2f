import type { Dispatcher, Pool } from "undici";
import { AnswerReader, type Headers, type Place } from "@/lib/mcp/upstream/answer-reader";
import { broken, connectionFault, stopped } from "@/lib/mcp/upstream/faults";
import type { ReadMessage } from "@/lib/mcp/upstream/large-message";
import type { Deadline } from "@/lib/resilience/deadline";

export type Exchanged = {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON body, or the event that was waited for. Null when there was none. */
  readonly body: Uint8Array | null;
  /** How large that is. */
  readonly bytes: number;
  /** That event, where it was so large that it was read beside. */
  readonly read?: ReadMessage | undefined;
  /** Where the stream is to be taken up again that ended, or broke, before the event that was waited for. */
  readonly place?: Place | undefined;
};

/** How many requests to one server wait for a connection now. */
export type WaitingLine = { waiting: number };

export type ExchangeOptions = {
  readonly line?: WaitingLine;
  readonly path: string;
  /** As an object, or as a list of names and values. */
  readonly headers: Readonly<Record<string, string>> | string[];
  readonly body: string | null;
  readonly deadline: Deadline;
  readonly method?: "POST" | "DELETE" | "GET";
  /** A stream that breaks is no fault where the server said how to go on with it. */
  readonly takesUp?: boolean | undefined;
  /** Sees each event of an event stream; true means this is the one that was waited for. May throw what is wrong with it. */
  readonly onEvent: (data: string) => boolean;
  /** Reads a large event; null means that it is not the one. */
  readonly onLargeEvent?: (data: Buffer) => Promise<ReadMessage | null>;
};

/**
 * One POST and its answer, bounded in time and bytes. Works on the dispatcher itself:
 * the request API above it costs a stream per call, which is most of the price of a call.
 */
export function exchange(pool: Pool, options: ExchangeOptions): Promise<Exchanged> {
  return new Promise<Exchanged>((resolve, reject) => new Exchange(options, resolve, reject).start(pool));
}

/** What the dispatcher tells of one request; one object, because each call has one and closures over its state cost more. */
class Exchange implements Dispatcher.DispatchHandler {
  private readonly options: ExchangeOptions;
  private readonly resolve: (exchanged: Exchanged) => void;
  private readonly reject: (cause: unknown) => void;
  private readonly answer: AnswerReader;
  private controller: Dispatcher.DispatchController | null = null;
  private over = false;
  private waits = false;
  /** Events that are being read beside the loop, and what happens when none of them was the one. */
  private reading = 0;
  private afterwards: (() => void) | null = null;
  private forget: (() => void) | null = null;

  constructor(options: ExchangeOptions, resolve: (exchanged: Exchanged) => void, reject: (cause: unknown) => void) {
    this.options = options;
    this.resolve = resolve;
    this.reject = reject;
    this.answer = new AnswerReader(this);
  }

  start(pool: Pool): void {
    const { deadline, line, path, method = "POST", headers, body } = this.options;
    if (deadline.stopped() !== null) {
      this.onStop();
      return;
    }
    this.forget = deadline.onStop(() => this.onStop());
    this.waits = true;
    if (line !== undefined) line.waiting += 1;
    pool.dispatch({ path, method, headers, body }, this);
  }

  onEvent(data: string): void {
    if (this.over) return;
    try {
      if (this.options.onEvent(data)) this.take(Buffer.from(data));
    } catch (fault) {
      this.onFault(fault as Error);
    }
  }

  /** It may be the one: until that is known nothing else ends the exchange but the deadline. */
  onLargeEvent(data: Buffer): void {
    const read = this.options.onLargeEvent;
    if (read === undefined) this.onEvent(data.toString("utf8"));
    if (this.over || read === undefined) return;
    const bytes = data.length;
    this.reading += 1;
    const done = (message: ReadMessage | null) => {
      this.reading -= 1;
      if (this.over) return;
      if (message !== null) this.take(null, bytes, message);
      else if (this.reading === 0) this.afterwards?.();
    };
    read(data).then(done, (fault: Error) => this.onFault(fault));
  }

  private take(body: Uint8Array | null, bytes = body?.length ?? 0, read?: ReadMessage): void {
    this.finish();
    this.resolve({ status: this.answer.status, headers: this.answer.headers, body, bytes, read });
    // The rest of the stream is of no interest; leaving it frees the connection.
    this.leave();
  }

  onFault(fault: Error): void {
    if (this.over) return;
    this.finish();
    this.reject(fault);
    this.leave();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    this.stopWaiting();
    if (this.over) controller.abort(new Error("left"));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    this.answer.begin(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.over) this.answer.take(chunk);
  }

  onResponseEnd(): void {
    this.endWith(() => {
      const body = this.answer.body();
      const { status, headers } = this.answer;
      this.resolve({ status, headers, body, bytes: body?.length ?? 0, place: this.answer.place() });
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    const { status, headers } = this.answer;
    const place = this.options.takesUp === true ? this.answer.place() : undefined;
    this.endWith(() => {
      if (place !== undefined) return this.resolve({ status, headers, body: null, bytes: 0, place });
      this.reject(status === 0 ? connectionFault(cause) : broken("it was cut off", cause));
    });
  }

  private endWith(settle: () => void): void {
    const end = () => {
      if (this.over) return;
      this.finish();
      settle();
    };
    if (this.reading > 0) this.afterwards = end;
    else end();
  }

  private onStop(): void {
    this.onFault(stopped(this.options.deadline.stopped() ?? "cancelled"));
  }

  private finish(): void {
    this.over = true;
    this.answer.release();
    this.forget?.();
    this.stopWaiting();
  }

  private leave(): void {
    this.controller?.abort(new Error("done"));
  }

  private stopWaiting(): void {
    if (this.waits && this.options.line !== undefined) this.options.line.waiting -= 1;
    this.waits = false;
  }
}
