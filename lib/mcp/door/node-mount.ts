import type { IncomingMessage, ServerResponse } from "node:http";
import { AppError } from "@/lib/core/errors";
import { Caller, type Leaving } from "@/lib/core/leaving";
import { logger } from "@/lib/core/logger";
import { getGateway } from "@/lib/gateway/compose";
import { answerDoor } from "@/lib/mcp/door/door";
import type { DoorRequest } from "@/lib/mcp/door/door-request";
import { peerAddressOf } from "@/lib/mcp/door/peer-address";
import { sendAnswer } from "@/lib/mcp/door/send-answer";

/** True for requests that are the door's. */
export const isForTheDoor = (url: string): boolean => /^\/api\/mcp(?:[/?]|$)/.test(url);

/** The door on a plain `node:http` server: the same handler, without the price of web objects. */
export async function serveDoor(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const caller = new Caller();
  response.on("close", () => {
    if (!response.writableFinished) caller.leave();
  });
  try {
    await sendAnswer(response, await answerDoor(getGateway(), toDoorRequest(request, caller)));
  } catch (cause) {
    logger.error({ err: cause }, "the door could not answer");
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}

function toDoorRequest(request: IncomingMessage, signal: Leaving): DoorRequest {
  const url = request.url ?? "/";
  const query = url.indexOf("?");
  return {
    method: request.method ?? "GET",
    path: query === -1 ? url : url.slice(0, query),
    header: (name: string) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(", ") : (value ?? null);
    },
    body: (maxBytes: number) => readBody(request, maxBytes),
    signal,
    peerAddress: peerAddressOf(request),
  };
}

function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const tooLarge = () =>
      reject(new AppError("payload_too_large", `The body is larger than ${maxBytes} bytes.`, { maxBytes }));
    if (Number(request.headers["content-length"] ?? "0") > maxBytes) tooLarge();
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      // What is still coming is read to nowhere for a while, so that the other side gets to read our answer.
      else if (size > MAX_DRAINED * maxBytes) request.destroy();
      else tooLarge();
    });
    request.on("end", () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    request.on("error", reject);
    request.on("close", () => {
      // Comes after every request; an error is only made (its stack is dear) where it says something.
      if (!request.readableEnded) reject(new AppError("cancelled", "The caller left before the request was complete."));
    });
  });
}

/** How many times the allowed size is read before the connection is cut. */
const MAX_DRAINED = 4;
