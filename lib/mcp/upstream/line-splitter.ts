import { makeByteCollector } from "@/lib/mcp/upstream/byte-collector";

const LINE_FEED = 0x0a;

export type LineSplitter = {
  readonly read: (chunk: Buffer) => void;
  /** Bytes of the line that has not ended yet. */
  readonly pending: () => number;
};

/** Cuts a stream into lines. Each byte is looked at once, however long a line gets and however small the pieces are. */
export function makeLineSplitter(onLine: (line: Buffer) => void): LineSplitter {
  const pending = makeByteCollector();
  return {
    pending: pending.size,
    read(chunk) {
      let from = 0;
      for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
        const last = chunk.subarray(from, end);
        from = end + 1;
        if (pending.size() === 0) onLine(last);
        else {
          pending.add(last);
          onLine(pending.take());
        }
      }
      if (from < chunk.length) pending.add(chunk.subarray(from));
    },
  };
}
