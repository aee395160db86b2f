import { makeLineSplitter } from "@/lib/mcp/upstream/line-splitter";

export type SseReader = {
  readonly read: (chunk: Uint8Array) => void;
  /** How much is kept of an event that is not complete yet. */
  readonly held: () => number;
};

export type SseEvents = {
  /** An event that has data, and its type: `message` where the stream names none. */
  readonly onEvent: (data: string, type: string) => void;
  /** The same for one whose data is one large line: as bytes, which are the listener's own. A string would cost as much again. */
  readonly onLargeEvent?: (data: Buffer, type: string) => void;
  /** Hears of every line, of which most may be comments. */
  readonly onLine?: () => void;
  /** The id of an event that is complete, also of one without data. */
  readonly onId?: (id: string) => void;
  /** How long to wait before the stream is opened again, ms. */
  readonly onRetry?: (ms: number) => void;
};

const LARGE_LINE = 256 * 1_024;
const CARRIAGE_RETURN = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const DATA = Buffer.from("data");
const EVENT = Buffer.from("event");
const ID = Buffer.from("id");
const RETRY = Buffer.from("retry");
const BYTE_ORDER_MARK = Buffer.from("\uFEFF");

const asBuffer = (chunk: Uint8Array): Buffer =>
  Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);

function startsWith(bytes: Buffer, from: number, end: number, word: Buffer): boolean {
  if (end - from < word.length) return false;
  for (let at = 0; at < word.length; at += 1) if (bytes[from + at] !== word[at]) return false;
  return true;
}

/** Where the value begins in a line that is about this field; -1 in any other. */
function valueAt(field: Buffer, bytes: Buffer, from: number, end: number): number {
  if (!startsWith(bytes, from, end, field)) return -1;
  const behind = from + field.length;
  if (behind === end) return end;
  if (bytes[behind] !== COLON) return -1;
  return bytes[behind + 1] === SPACE ? Math.min(behind + 2, end) : behind + 1;
}

/** Splits a server-sent event stream into its events (HTML Living Standard §9.2.6). */
export function makeSseReader({ onEvent, onLargeEvent, onLine, onId, onRetry }: SseEvents): SseReader {
  let data: (string | Buffer)[] = [];
  let [type, held, isFirst] = ["", 0, true];
  let id: string | null = null;

  function endEvent(): void {
    const complete = data;
    const named = type;
    if (id !== null) onId?.(id);
    [data, type, held, id] = [[], "", 0, null];
    const event = named === "" ? "message" : named;
    const [only] = complete;
    if (complete.length === 1 && only instanceof Buffer && onLargeEvent !== undefined) onLargeEvent(only, event);
    else if (complete.length > 0) onEvent(complete.join("\n"), event);
  }

  function takeField(bytes: Buffer, from: number, end: number): void {
    const at = valueAt(DATA, bytes, from, end);
    if (at === -1) {
      takeOther(bytes, from, end);
      return;
    }
    data.push(end - at < LARGE_LINE ? bytes.toString("utf8", at, end) : bytes.subarray(at, end));
    held += end - at + 1;
  }

  /** Any field but the data. */
  function takeOther(bytes: Buffer, from: number, end: number): void {
    const named = valueAt(EVENT, bytes, from, end);
    if (named !== -1) type = bytes.toString("utf8", named, end);
    const numbered = onId === undefined ? -1 : valueAt(ID, bytes, from, end);
    if (numbered !== -1) id = bytes.toString("utf8", numbered, end);
    const again = onRetry === undefined ? -1 : valueAt(RETRY, bytes, from, end);
    const text = again === -1 ? "" : bytes.toString("latin1", again, end);
    if (/^\d{1,9}$/.test(text)) onRetry?.(Number(text));
  }

  const { read, pending } = makeLineSplitter((bytes, start, lineEnd) => {
    onLine?.();
    const from = isFirst && startsWith(bytes, start, lineEnd, BYTE_ORDER_MARK) ? start + BYTE_ORDER_MARK.length : start;
    const end = lineEnd > from && bytes[lineEnd - 1] === CARRIAGE_RETURN ? lineEnd - 1 : lineEnd;
    isFirst = false;
    if (from < end) takeField(bytes, from, end);
    // Most empty lines end nothing but a comment.
    else if (data.length > 0 || type !== "" || id !== null) endEvent();
  });
  return { read: (chunk) => read(asBuffer(chunk)), held: () => held + pending() };
}
