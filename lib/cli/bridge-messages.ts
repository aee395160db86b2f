import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";
import { makeSseReader } from "@/lib/mcp/upstream/sse-reader";

/** A message, and its text as it came, so that a large one is not written anew. */
export type OnMessage = (message: Json, text: string) => void;

/** Hands over the messages of an answer. What is none, such as a page of a proxy, is left out. */
export async function eachMessage(answer: Response, onMessage: OnMessage): Promise<void> {
  if (answer.body === null || answer.status === 202) return;
  const take = (text: string) => {
    const message = parsed(text);
    if (message?.["jsonrpc"] === "2.0") onMessage(message, text);
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

/** The JSON object that a text is; null for anything else. */
export function parsed(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}
