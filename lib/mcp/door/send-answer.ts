import type { ServerResponse } from "node:http";
import { logger } from "@/lib/core/logger";
import { type DoorAnswer, MAX_UNREAD_BYTES, type Text, type Write } from "@/lib/mcp/door/door-request";

/** How long a client may take nothing of an answer that is complete: what waits for it is memory that others go without. */
const TAKES_NOTHING_MS = 60_000;

/** Sends an answer of the door, whole or as a stream, over `node:http`. Resolves when all of it was handed to the platform. */
export async function sendAnswer(
  response: ServerResponse,
  answer: DoorAnswer,
  patienceMs = TAKES_NOTHING_MS,
): Promise<void> {
  await write(response, answer);
  // Most answers are the kernel's by now.
  if (response.writableLength > 0) giveUpAfter(response, patienceMs);
}

async function write(response: ServerResponse, { status, headers, body }: DoorAnswer): Promise<void> {
  if (typeof body === "function") {
    response.writeHead(status, headers);
    // Node would keep them until the first event, and a client waits for them to know that its stream stands.
    response.flushHeaders();
    await body((chunk) => {
      if (response.destroyed) return;
      if (response.writableLength <= MAX_UNREAD_BYTES) response.write(chunk);
      else cutOff(response);
    });
    response.end();
    return;
  }
  // As a list: an object would be copied to add one header, and taken apart again.
  const listed: (string | number)[] = [];
  for (const name of Object.keys(headers)) listed.push(name, headers[name] ?? "");
  listed.push("content-length", body === null ? 0 : bytesOf(body));
  response.writeHead(status, listed);
  if (body === null || typeof body === "string") response.end(body);
  else endWith(response, body);
}

/** One write of all its pieces, as far as the platform can. */
function endWith(response: ServerResponse, pieces: readonly Uint8Array[]): void {
  response.cork();
  for (const piece of pieces) response.write(piece);
  response.end();
  response.uncork();
}

/** Its length as it is sent. */
export const bytesOf = (text: Text): number =>
  typeof text === "string" ? Buffer.byteLength(text) : text.reduce((sum, { length }) => sum + length, 0);

/** The platform begins to count anew with each part that is taken. */
function giveUpAfter(response: ServerResponse, patienceMs: number): void {
  const { socket } = response;
  response.setTimeout(patienceMs, () => cutOff(response));
  // Before the platform sets its own time for the next request.
  response.prependOnceListener("finish", () => socket?.setTimeout(0));
}

/** Its closing tells whoever still writes that the caller is gone. */
function cutOff(response: ServerResponse): void {
  logger.info({ unread: response.writableLength }, "a client that did not read its answer was cut off");
  response.destroy();
}

/** The same as a web `Response`. */
export function toResponse({ status, headers, body }: DoorAnswer): Response {
  if (typeof body === "function") return new Response(streamOf(body), { status, headers });
  return new Response(body === null || typeof body === "string" ? body : new Blob([...body]), { status, headers });
}

function streamOf(run: (write: Write) => Promise<void>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let left = false;
  return new ReadableStream(
    {
      async start(controller) {
        await run((chunk) => {
          if (left) return;
          left = (controller.desiredSize ?? 0) < 0;
          if (left) controller.error(new Error("The client does not read its stream."));
          else controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
        });
        if (!left) controller.close();
      },
      cancel() {
        left = true;
      },
    },
    { highWaterMark: MAX_UNREAD_BYTES, size: ({ byteLength }) => byteLength },
  );
}
