import type { Readable } from "node:stream";
import type { AppError } from "@/lib/core/errors";
import type { Soon } from "@/lib/core/soon";
import { broken } from "@/lib/mcp/upstream/faults";
import { makeLineSplitter } from "@/lib/mcp/upstream/line-splitter";
import { type Heard, makeNoiseLimit } from "@/lib/mcp/upstream/noise";
import { MAX_ANSWER_BYTES } from "@/lib/mcp/upstream/protocol";

export type OutputOptions = {
  readonly onLine: (line: Buffer) => Soon<Heard>;
  /** Called once; nothing is read any more. */
  readonly onFault: (fault: AppError) => void;
};

/** Reads what a program says, line by line. One that talks without end would cost us a processor: it is given up. */
export function makeOutputReader({ onLine, onFault }: OutputOptions): (chunk: Buffer) => void {
  let isOver = false;

  const giveUp = (fault: AppError) => {
    if (isOver) return;
    isOver = true;
    onFault(fault);
  };
  const count = makeNoiseLimit(giveUp);
  const lines = makeLineSplitter((bytes, from, end) => {
    if (isOver) return;
    count(end - from + 1, from === end ? "message" : onLine(bytes.subarray(from, end)));
  });
  return (chunk) => {
    if (isOver) return;
    lines.read(chunk);
    if (lines.pending() > MAX_ANSWER_BYTES) giveUp(broken(`it is larger than ${MAX_ANSWER_BYTES} bytes`));
  };
}

const TAIL_CHARACTERS = 8 * 1_024;
/** After so much on its error stream a program has to wait. */
const ERRORS_AT_ONCE = 1_024 * 1_024;
const ERRORS_REST_MS = 1_000;

/** Keeps the end of what a program writes on its error stream, and reads no more of it than does us no harm. */
export function keepTail(stream: Readable): () => string {
  let tail = "";
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    tail = (tail + chunk.toString("utf8")).slice(-TAIL_CHARACTERS);
    bytes += chunk.length;
    if (bytes < ERRORS_AT_ONCE) return;
    bytes = 0;
    stream.pause();
    setTimeout(() => stream.resume(), ERRORS_REST_MS).unref();
  });
  return () => tail;
}
