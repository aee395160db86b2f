import { logger } from "@/lib/core/logger";
import { httpRefusal } from "@/lib/mcp/upstream/faults";
import { type Link, legacyHeaders } from "@/lib/mcp/upstream/http-greeting";
import { type HttpWire, messageIn } from "@/lib/mcp/upstream/http-wire";
import { requestMeta, resultOf } from "@/lib/mcp/upstream/messages";
import { isRecord, type Json, type ListenRequest, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";
import type { Deadline } from "@/lib/resilience/deadline";

/** Hears a server over HTTP: `subscriptions/listen`, or the stream behind GET in the sessions era. */
export async function listenOverHttp(wire: HttpWire, link: Link, request: ListenRequest): Promise<void> {
  const { filter, deadline, onNotice } = request;
  const tell = ({ method, params }: Json) => {
    if (typeof method === "string") onNotice({ method, params: isRecord(params) ? params : {} });
  };
  if (link.greeting.era === "legacy") {
    const { status } = await wire.listen(legacyHeaders(link), deadline, tell);
    // 405 is how a server says that it never speaks by itself.
    if (status >= 400 && status !== 405) throw httpRefusal(status);
    return;
  }
  const id = wire.nextId();
  const method = "subscriptions/listen";
  const answer = await wire.post({
    id,
    method,
    params: { notifications: filter, _meta: requestMeta(true, null) },
    headers: { "mcp-protocol-version": MODERN_VERSION, "mcp-method": method },
    deadline,
    onMessage: tell,
  });
  if (answer.body !== null) resultOf(messageIn(answer), id);
}

/** Sends our answers to what a server of the sessions era asks on the stream of a request. */
export const answerOver =
  (wire: HttpWire, link: Link, deadline: Deadline) =>
  (message: Json): void => {
    // On the modern wire a server asks by its result only.
    if (link.greeting.era === "modern") return;
    wire
      .reply(message, legacyHeaders(link), deadline)
      .catch((cause: unknown) => logger.warn({ err: cause }, "a server did not take our answer"));
  };
