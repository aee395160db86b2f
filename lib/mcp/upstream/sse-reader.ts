import { makeLineSplitter } from "@/lib/mcp/upstream/line-splitter";

const CARRIAGE_RETURN = 0x0d;
const LETTER_D = 0x64;
const BYTE_ORDER_MARK = Buffer.from("\uFEFF");

const asBuffer = (chunk: Uint8Array): Buffer =>
  Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);

const withoutMark = (line: Buffer): Buffer =>
  line.subarray(0, 3).equals(BYTE_ORDER_MARK) ? line.subarray(BYTE_ORDER_MARK.length) : line;

/** What a line adds to the data of its event; null when nothing. All but data is of no interest here, and not even decoded. */
function dataIn(line: Buffer, end: number): string | null {
  if (line[0] !== LETTER_D) return null;
  const text = line.toString("utf8", 0, end);
  if (text === "data") return "";
  return text.startsWith("data:") ? text.slice(text[5] === " " ? 6 : 5) : null;
}

/**
 * Splits a server-sent event stream into the data of its events (HTML Living Standard §9.2.6). `onLine` hears of every
 * line, of which most may be comments.
 */
export function makeSseReader(onData: (data: string) => void, onLine?: () => void): (chunk: Uint8Array) => void {
  let data: string[] = [];
  let isFirst = true;
  const { read } = makeLineSplitter((whole) => {
    onLine?.();
    const line = isFirst ? withoutMark(whole) : whole;
    isFirst = false;
    const end = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length;
    if (end > 0) {
      const added = dataIn(line, end);
      if (added !== null) data.push(added);
      return;
    }
    if (data.length > 0) onData(data.join("\n"));
    data = [];
  });
  return (chunk) => read(asBuffer(chunk));
}
