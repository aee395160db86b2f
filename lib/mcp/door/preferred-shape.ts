import type { DoorAnswer, DoorRequest } from "@/lib/mcp/door/door-request";
import { eventText, STREAM_HEADERS } from "@/lib/mcp/door/progress-stream";

/** True for a client that names event streams before JSON. */
export function prefersStreams(accept: string | null): boolean {
  const stream = accept?.indexOf("text/event-stream") ?? -1;
  return accept !== null && stream !== -1 && stream <= accept.indexOf("application/json");
}

/**
 * Clients take both shapes of an answer and most name JSON first, which costs least. One that names event streams first
 * gets its answer as a stream of one event.
 */
export function inPreferredShape(answer: DoorAnswer, { header, carried }: DoorRequest): DoorAnswer {
  const { status, headers, body } = answer;
  if (status !== 200 || body === null || typeof body === "function" || carried !== undefined) return answer;
  if (!prefersStreams(header("accept"))) return answer;
  return { status, headers: { ...headers, ...STREAM_HEADERS }, body: eventText(body) };
}
