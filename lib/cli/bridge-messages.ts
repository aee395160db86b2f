import type { Readable } from "node:stream";
import { makeLineSplitter } from "@/lib/mcp/upstream/line-splitter";
import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";
import { makeSseReader } from "@/lib/mcp/upstream/sse-reader";

/** A message, and its text as it came, so that a large one is not written anew. */
export type OnMessage = (message: Json, text: string) => void;

/** The messages of an input, one in a line; those of a batch one by one. An input that breaks has ended. */
export async function* messagesOf(input: Readable): AsyncGenerator<Json> {
  const ready: Json[] = [];
  // A line ends in a line feed and nothing else: a carriage return, which other readers end one with, is blank in JSON.
  const lines = makeLineSplitter((bytes, from, end) => ready.push(...messagesIn(bytes.toString("utf8", from, end))));
  try {
    for await (const chunk of input) {
      lines.read(chunk as Buffer);
      yield* ready.splice(0);
    }
  } catch {
    // What was read is carried; there is nobody left to hear of the rest.
  }
  lines.read(Buffer.from("\n"));
  yield* ready;
}

/** Of a batch, which clients of revision 2025-03-26 may send, each message is posted alone: so each answer is a line. */
function messagesIn(text: string): readonly Json[] {
  const value = jsonOf(text);
  return (Array.isArray(value) ? value : [value]).filter(isRecord);
}

/** Hands over the messages of an answer. What is none, such as a page of a proxy, is left out. */
export async function eachMessage(answer: Response, onMessage: OnMessage): Promise<void> {
  if (answer.body === null || answer.status === 202) return;
  const take = (text: string) => {
    const message = jsonOf(text);
    if (isRecord(message) && message["jsonrpc"] === "2.0") onMessage(message, text);
  };
  if (!isEventStream(answer)) return take(await answer.text());
  const { read } = makeSseReader({ onEvent: take });
  for await (const chunk of answer.body) read(chunk as Uint8Array);
}

export const isEventStream = ({ headers }: Response): boolean =>
  (headers.get("content-type") ?? "").startsWith("text/event-stream");

/** What the client gets to read of a message that came for its request; null for an answer to something else. */
export function textFor(id: unknown, message: Json, text: string): string | null {
  if (typeof message["method"] === "string" || message["id"] === id) return text;
  const { error } = message;
  // A door that refuses a request without reading it does not know its id.
  return (message["id"] ?? null) === null && isRecord(error) ? JSON.stringify({ jsonrpc: "2.0", id, error }) : null;
}

/** The answer to a request that got none. */
export const unanswered = (id: unknown, message: string): string =>
  JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32000, message } });

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
