import type { AppError } from "@/lib/core/errors";
import { type ByteCollector, makeByteCollector } from "@/lib/mcp/upstream/byte-collector";
import { broken } from "@/lib/mcp/upstream/faults";
import { MAX_ANSWER_BYTES } from "@/lib/mcp/upstream/protocol";
import { makeSseReader } from "@/lib/mcp/upstream/sse-reader";

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export type AnswerReaderOptions = {
  /** Sees each event of an event stream. */
  readonly onEvent: (data: string) => void;
  /** The same for a large one, whose bytes are the listener's own. */
  readonly onLargeEvent: (data: Buffer) => void;
  /** What is wrong with the answer. Nothing of it is read after that. */
  readonly onFault: (fault: AppError) => void;
};

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
  private events = 0;
  private lines = 0;
  private failed = false;
  private readEvents: ((chunk: Buffer) => void) | null = null;
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
      this.readEvents = makeSseReader({
        onEvent: (data) => this.isWelcome() && this.options.onEvent(data),
        onLargeEvent: (data) => this.isWelcome() && this.options.onLargeEvent(data),
        onLine: () => this.countLine(),
      }).read;
    }
  }

  take(chunk: Buffer): void {
    if (this.failed) return;
    this.bytes += chunk.length;
    this.pieces += 1;
    if (this.pieces > MAX_PIECES) this.refuse("too many pieces", MAX_PIECES);
    if (this.bytes > MAX_ANSWER_BYTES) this.fail(tooLarge());
    else if (this.readEvents !== null) this.readEvents(chunk);
    else if (this.pieces === 1) this.single = chunk;
    else this.collect(chunk);
  }

  /** The whole body; null when there was none, or events instead. */
  body(): Uint8Array | null {
    const whole = this.received?.take() ?? this.single;
    return whole === null || whole.length === 0 ? null : whole;
  }

  private collect(chunk: Buffer): void {
    this.received ??= makeByteCollector(Number(this.headers["content-length"] ?? 0));
    if (this.single !== null) this.received.add(this.single);
    this.single = null;
    this.received.add(chunk);
  }

  /** Counts an event; false where nothing more is read. */
  private isWelcome(): boolean {
    if (this.failed) return false;
    this.events += 1;
    if (this.events > MAX_EVENTS) this.refuse("too many events", MAX_EVENTS);
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

  private fail(fault: AppError): void {
    this.failed = true;
    this.options.onFault(fault);
  }
}
