import { makeLineSplitter } from "@/lib/mcp/upstream/line-splitter";

export type SseReader = {
  readonly read: (chunk: Uint8Array) => void;
  /** How much is kept of an event that is not complete yet. */
  readonly held: () => number;
};

export type SseEvents = {
  /** An event that has data, and its type: `message` where the stream names none. */
  readonly onEvent: (data: string, type: string) => void;
  /** Hears of every line, of which most may be comments. */
  readonly onLine?: () => void;
};

const CARRIAGE_RETURN = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const DATA = Buffer.from("data");
const EVENT = Buffer.from("event");
const BYTE_ORDER_MARK = Buffer.from("\uFEFF");
const PLAIN = "message";

const asBuffer = (chunk: Uint8Array): Buffer =>
  Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);

function startsWith(bytes: Buffer, from: number, end: number, word: Buffer): boolean {
  if (end - from < word.length) return false;
  for (let at = 0; at < word.length; at += 1) if (bytes[from + at] !== word[at]) return false;
  return true;
}

/** The value of a line that is about this field; null for any other, which is not even decoded. */
function valueOf(name: Buffer, bytes: Buffer, from: number, end: number): string | null {
  if (!startsWith(bytes, from, end, name)) return null;
  const after = from + name.length;
  if (after === end) return "";
  if (bytes[after] !== COLON) return null;
  return bytes.toString("utf8", bytes[after + 1] === SPACE ? Math.min(after + 2, end) : after + 1, end);
}

/** Splits a server-sent event stream into its events (HTML Living Standard §9.2.6). */
export function makeSseReader({ onEvent, onLine }: SseEvents): SseReader {
  let data: string[] = [];
  let [type, held, isFirst] = [PLAIN, 0, true];

  function endEvent(): void {
    const complete = data;
    const named = type;
    [data, type, held] = [[], PLAIN, 0];
    if (complete.length > 0) onEvent(complete.join("\n"), named);
  }

  const { read, pending } = makeLineSplitter((bytes, lineStart, lineEnd) => {
    onLine?.();
    const from = isFirst && startsWith(bytes, lineStart, lineEnd, BYTE_ORDER_MARK) ? lineStart + 3 : lineStart;
    isFirst = false;
    const end = lineEnd > from && bytes[lineEnd - 1] === CARRIAGE_RETURN ? lineEnd - 1 : lineEnd;
    if (from === end) {
      // Most empty lines end nothing but a comment.
      if (data.length > 0 || type !== PLAIN) endEvent();
      return;
    }
    const value = valueOf(DATA, bytes, from, end);
    if (value === null) {
      const named = valueOf(EVENT, bytes, from, end);
      if (named !== null) type = named === "" ? PLAIN : named;
      return;
    }
    data.push(value);
    held += value.length + 1;
  });
  return { read: (chunk) => read(asBuffer(chunk)), held: () => held + pending() };
}
