import type { AppError } from "@/lib/core/errors";
import { makeByteCollector } from "@/lib/mcp/upstream/byte-collector";
import { broken } from "@/lib/mcp/upstream/faults";
import { MAX_ANSWER_BYTES } from "@/lib/mcp/upstream/protocol";
import { makeSseReader } from "@/lib/mcp/upstream/sse-reader";

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Reads one answer, within what an answer may cost us. */
export type AnswerReader = {
  readonly begin: (status: number, headers: Headers) => void;
  readonly take: (chunk: Buffer) => void;
  /** Zero until the answer has begun. */
  readonly status: () => number;
  readonly headers: () => Headers;
  /** The whole body; null when there was none, or events instead. */
  readonly body: () => Uint8Array | null;
};

export type AnswerReaderOptions = {
  /** Sees each event of an event stream. */
  readonly onEvent: (data: string) => void;
  /** What is wrong with the answer. May be called more than once; the first one counts. */
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

export function makeAnswerReader({ onEvent, onFault }: AnswerReaderOptions): AnswerReader {
  let [status, bytes] = [0, 0];
  let headers: Headers = {};
  let readEvents: ((chunk: Buffer) => void) | null = null;
  const received = makeByteCollector();
  const atMost = (most: number, what: string) => {
    let count = 0;
    return () => {
      count += 1;
      if (count > most) onFault(broken(`${what} (more than ${most})`));
    };
  };
  const [countPiece, countHint] = [
    atMost(MAX_PIECES, "too many pieces"),
    atMost(MAX_HINTS, "too many hints before it"),
  ];
  const [countEvent, countLine] = [atMost(MAX_EVENTS, "too many events"), atMost(MAX_LINES, "too many lines")];

  return {
    begin(statusCode, said) {
      // What is told ahead of an answer (103) is no answer.
      if (statusCode < 200) return countHint();
      [status, headers] = [statusCode, said];
      const fault = faultIn(said);
      if (fault !== null) return onFault(fault);
      if (!isEventStream(said)) return;
      const take = (data: string) => {
        countEvent();
        onEvent(data);
      };
      readEvents = makeSseReader(take, countLine);
    },
    take(chunk) {
      bytes += chunk.length;
      countPiece();
      if (bytes > MAX_ANSWER_BYTES) return onFault(tooLarge());
      if (readEvents === null) received.add(chunk);
      else readEvents(chunk);
    },
    status: () => status,
    headers: () => headers,
    body: () => (received.size() === 0 ? null : received.take()),
  };
}
