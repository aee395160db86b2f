import { makeByteCollector } from "@/lib/mcp/upstream/byte-collector";

const LINE_FEED = 0x0a;
/** Lines are short as a rule: their ends are found sooner byte by byte than by asking the platform for each. */
const NEAR = 64;

/** A line is `bytes` from `from` to before `end`; the bytes are the reader's only for the moment. */
export type OnLine = (bytes: Buffer, from: number, end: number) => void;

export type LineSplitter = {
  readonly read: (chunk: Buffer) => void;
  /** Bytes of the line that has not ended yet. */
  readonly pending: () => number;
};

/**
 * Cuts a stream into lines. Each byte is looked at once, however long a line gets and however small the pieces are, and
 * nothing is made for a line: a server may send very many, and none of them may be worth anything.
 */
export function makeLineSplitter(onLine: OnLine): LineSplitter {
  const pending = makeByteCollector();
  return {
    pending: pending.size,
    read(chunk) {
      let from = 0;
      for (let end = endOfLine(chunk, 0); end !== -1; end = endOfLine(chunk, from)) {
        if (pending.size() === 0) onLine(chunk, from, end);
        else {
          pending.add(chunk.subarray(from, end));
          const whole = pending.take();
          onLine(whole, 0, whole.length);
        }
        from = end + 1;
      }
      if (from < chunk.length) pending.add(chunk.subarray(from));
    },
  };
}

function endOfLine(bytes: Buffer, from: number): number {
  const near = Math.min(bytes.length, from + NEAR);
  for (let at = from; at < near; at += 1) if (bytes[at] === LINE_FEED) return at;
  return near === bytes.length ? -1 : bytes.indexOf(LINE_FEED, near);
}
