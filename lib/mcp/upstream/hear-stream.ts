import { parseMessage, progressOf } from "@/lib/mcp/upstream/messages";
import { makeNoiseLimit } from "@/lib/mcp/upstream/noise";
import type { Json, UpstreamRequest } from "@/lib/mcp/upstream/protocol";

/** Hears the events of a request; true for the one that answers it. Throws where there is too much of anything else. */
export type Hearing = (event: Json | null) => boolean;

type Heard = {
  readonly id: number | null;
  readonly onProgress?: UpstreamRequest["onProgress"];
  readonly onMessage?: ((message: Json) => void) | undefined;
};

/** The message in an event; null where nobody can read it. */
export function parseEvent(data: string | Uint8Array): Json | null {
  try {
    return parseMessage(typeof data === "string" ? Buffer.from(data) : data);
  } catch {
    return null;
  }
}

/** Counts what costs us more than its bytes: events that nobody can read, and questions, each of which is answered by a POST. */
function countNoise(): (event: Json | null) => void {
  const count = makeNoiseLimit((fault) => {
    throw fault;
  });
  return (event) => {
    if (event === null) count(0, "unreadable");
    else if (event["id"] !== undefined && typeof event["method"] === "string") count(0, "asked");
  };
}

/** Hears a request, over however many streams. Most answers are no streams, so nothing is made before the first event. */
export function makeHearing({ id, onProgress, onMessage }: Heard): Hearing {
  let count: ReturnType<typeof countNoise> | null = null;
  return (event) => {
    count ??= countNoise();
    count(event);
    if (event === null || id === null) return false;
    if (onMessage !== undefined && typeof event["method"] === "string") onMessage(event);
    const progress = progressOf(event, id);
    if (progress !== null) onProgress?.(progress);
    return "result" in event || "error" in event;
  };
}

/** Hears a stream that answers nothing, event by event. Throws likewise. */
export function hearAll(onMessage: (message: Json) => void): (data: string) => boolean {
  const count = countNoise();
  return (data) => {
    if (data === "") return false;
    const message = parseEvent(data);
    count(message);
    if (message !== null) onMessage(message);
    return false;
  };
}
