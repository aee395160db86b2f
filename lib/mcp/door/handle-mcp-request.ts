import { readBounded } from "@/lib/core/json-guard";
import { getGateway } from "@/lib/gateway/compose";
import { answerDoor } from "@/lib/mcp/door/door";
import type { DoorAnswer, Write } from "@/lib/mcp/door/door-request";

/** The door for those who speak in web `Request` and `Response`: the route handler, and anything that embeds us. */
export async function handleMcpRequest(
  request: Request,
  info: { readonly peerAddress: string | null },
): Promise<Response> {
  const answer = await answerDoor(getGateway(), {
    method: request.method,
    path: new URL(request.url).pathname,
    header: (name) => request.headers.get(name),
    body: (maxBytes) => readBounded(request, maxBytes),
    signal: request.signal,
    peerAddress: info.peerAddress,
  });
  return toResponse(answer);
}

function toResponse({ status, headers, body }: DoorAnswer): Response {
  return new Response(typeof body === "function" ? streamOf(body) : body, { status, headers });
}

function streamOf(run: (write: Write) => Promise<void>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let left = false;
  return new ReadableStream({
    async start(controller) {
      await run((chunk) => {
        if (!left) controller.enqueue(encoder.encode(chunk));
      });
      if (!left) controller.close();
    },
    cancel() {
      left = true;
    },
  });
}
