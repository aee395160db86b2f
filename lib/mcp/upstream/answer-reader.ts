import type { AppError } from "@/lib/core/errors";
import { type AnswerMemory, promiseMemory } from "@/lib/mcp/upstream/answer-memory";
import { type ByteCollector, makeByteCollector } from "@/lib/mcp/upstream/byte-collector";
import { broken } from "@/lib/mcp/upstream/faults";
import { LARGE_BYTES } from "@/lib/mcp/upstream/large-answers";
import { MAX_ANSWER_BYTES } from "@/lib/mcp/upstream/protocol";
import { makeSseReader, type SseReader } from "@/lib/mcp/upstream/sse-reader";

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export type AnswerReaderOptions = {
  /** Sees each event of an event stream. */
  readonly onEvent: (data: string) => void;
  /** The same for a large one, whose bytes are the listener's own. */
  readonly onLargeEvent: (data: Buffer) => void;
  /** What is wrong with the answer. Nothing of it is read after that. */
  readonly onFault: (fault: AppError) => void;
};

/** Where an event stream broke off, and when its server wants to be asked for the rest. */
export type Place = { readonly lastEventId: string; readonly retryMs: number | null };

/** What may stand in a header. An id that may not is none: its stream cannot be taken up again. */
const EVENT_ID = /^[\x20-\x7e]{1,1024}$/;

/** Beside its bytes: each of these is work of ours that a server could ask for without end. */
const MAX_PIECES = 20_000;
const MAX_EVENTS = 10_000;
const MAX_LINES = 4 * MAX_EVENTS;
const MAX_HINTS = 100;

const tooLarge = () => broken(`it is larger than ${MAX_ANSWER_BYTES} bytes`);

/** What is wrong with an answer, as far as its headers say so. */
function faultIn(headers: Headers): AppError | null {
  if (Number(headers["content-length"] ?? 0) > MAX_ANSWER_BYTES) return tooLarge();
  // We ask for plain bytes; packed ones could be a thousand times as many.
  const coding = String(headers["content-encoding"] ?? "identity").toLowerCase();
  return coding === "identity" || coding === "" ? null : broken(`it is packed (${coding.slice(0, 40)}), unasked`);
}

const isEventStream = (headers: Headers): boolean =>
  String(headers["content-type"] ?? "").startsWith("text/event-stream");

/** Reads one answer, within what an answer may cost us. */
export class AnswerReader {
  /** Zero until the answer has begun. */
  status = 0;
  headers: Headers = {};
  private readonly options: AnswerReaderOptions;
  private bytes = 0;
  private pieces = 0;
  private hints = 0;
  private eventCount = 0;
  private lines = 0;
  private failed = false;
  private events: SseReader | null = null;
  private lastEventId = "";
  private retryMs: number | null = null;
  /** Promised to it, once it is large. */
  private memory: AnswerMemory | null = null;
  /** Most answers are one piece, which needs no putting together. */
  private single: Buffer | null = null;
  private received: ByteCollector | null = null;

  constructor(options: AnswerReaderOptions) {
    this.options = options;
  }

  begin(status: number, headers: Headers): void {
    // What is told ahead of an answer (103) is no answer.
    if (status < 200) {
      this.hints += 1;
      if (this.hints > MAX_HINTS) this.refuse("too many hints before it", MAX_HINTS);
      return;
    }
    this.status = status;
    this.headers = headers;
    const fault = faultIn(headers);
    if (fault !== null) this.fail(fault);
    else if (isEventStream(headers)) {
      this.events = makeSseReader({
        onEvent: (data) => this.isWelcome() && this.options.onEvent(data),
        onLargeEvent: (data) => this.isWelcome() && this.options.onLargeEvent(data),
        onLine: () => this.countLine(),
        onId: (id) => {
          this.lastEventId = EVENT_ID.test(id) ? id : "";
        },
        onRetry: (ms) => {
          this.retryMs = ms;
        },
      });
    }
  }

  take(chunk: Buffer): void {
    if (this.failed) return;
    this.bytes += chunk.length;
    this.pieces += 1;
    if (this.pieces > MAX_PIECES) this.refuse("too many pieces", MAX_PIECES);
    if (this.bytes > MAX_ANSWER_BYTES) this.fail(tooLarge());
    else if (this.events !== null) this.takeEvents(this.events, chunk);
    else if (this.pieces === 1) this.single = chunk;
    else this.collect(chunk);
  }

  /** Nothing more is read, and what was promised to it is free. */
  release(): void {
    this.memory?.end();
    this.memory = null;
  }

  private takeEvents(events: SseReader, chunk: Buffer): void {
    events.read(chunk);
    // Of events that are complete nothing is kept here.
    if (events.held() < LARGE_BYTES) this.release();
    else this.hold(chunk.length, MAX_ANSWER_BYTES - events.held());
  }

  /** Where the stream is to be taken up again; undefined where it cannot be. */
  place(): Place | undefined {
    const { lastEventId, retryMs } = this;
    return lastEventId === "" ? undefined : { lastEventId, retryMs };
  }

  /** The whole body; null when there was none, or events instead. */
  body(): Uint8Array | null {
    const whole = this.received?.take() ?? this.single;
    return whole === null || whole.length === 0 ? null : whole;
  }

  private collect(chunk: Buffer): void {
    this.received ??= makeByteCollector();
    if (this.single !== null) this.received.add(this.single);
    this.single = null;
    this.received.add(chunk);
    if (this.bytes < LARGE_BYTES) return;
    const isFirst = this.memory === null;
    const announced = Number(this.headers["content-length"] ?? 0);
    this.hold(chunk.length, (announced || MAX_ANSWER_BYTES) - this.bytes);
    if (!isFirst || announced <= this.bytes || this.failed) return;
    this.received.makeRoom(announced);
    // From here on it is seen where it is held.
    this.memory?.take(announced);
  }

  /** Counts an event; false where nothing more is read. */
  private isWelcome(): boolean {
    if (this.failed) return false;
    this.eventCount += 1;
    if (this.eventCount > MAX_EVENTS) this.refuse("too many events", MAX_EVENTS);
    return !this.failed;
  }

  private countLine(): void {
    this.lines += 1;
    if (this.lines > MAX_LINES) this.refuse("too many lines", MAX_LINES);
  }

  /** The rest of a piece may hold thousands more that are too many; an error is made for the first one only. */
  private refuse(what: string, most: number): void {
    if (!this.failed) this.fail(broken(`${what} (more than ${most})`));
  }

  /** Asks once whether there is memory for all that may come; from then on what arrives is taken off. */
  private hold(arrived: number, toCome: number): void {
    if (this.failed) return;
    try {
      if (this.memory === null) this.memory = promiseMemory(Math.max(0, toCome));
      else this.memory.take(arrived);
    } catch (cause) {
      this.fail(cause as AppError);
    }
  }

  private fail(fault: AppError): void {
    this.failed = true;
    this.release();
    this.options.onFault(fault);
  }
}
