import { readBounded } from "@/lib/core/json-guard";
import { getGateway } from "@/lib/gateway/compose";
import { answerDoor } from "@/lib/mcp/door/door";
import { toResponse } from "@/lib/mcp/door/send-answer";

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
