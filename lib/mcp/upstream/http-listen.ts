import { logger } from "@/lib/core/logger";
import { hear } from "@/lib/mcp/upstream/dialogue";
import { httpRefusal } from "@/lib/mcp/upstream/faults";
import { followEach, followedIn } from "@/lib/mcp/upstream/follow";
import { type Link, legacyHeaders } from "@/lib/mcp/upstream/http-greeting";
import { type HttpWire, messageIn } from "@/lib/mcp/upstream/http-wire";
import { requestMeta, resultOf } from "@/lib/mcp/upstream/messages";
import { isRecord, type Json, type ListenRequest, MODERN_VERSION } from "@/lib/mcp/upstream/protocol";
import type { Deadline } from "@/lib/resilience/deadline";

/** Who follows resources in a session, and is to ask for them again when it is another one. */
type Follower = { readonly link: Link; readonly end: () => void };
const followers = new WeakMap<HttpWire, Set<Follower>>();

/** Hears a server over HTTP: `subscriptions/listen`, or the stream behind GET in the sessions era. */
export async function listenOverHttp(wire: HttpWire, link: Link, request: ListenRequest): Promise<void> {
  if (link.greeting.era === "modern") return listenModern(wire, request);
  endFollowers(wire, (each) => each.link !== link);
  if (followedIn(request.filter).length > 0) return follow(wire, link, request);
  let status = 0;
  try {
    const tell = teller(request);
    // Nobody is there to be asked, but whether we are there is asked of us.
    const answer = hear(undefined, answerOver(wire, link, request.deadline));
    const onMessage = (message: Json) => (message["id"] === undefined ? tell(message) : answer(message));
    ({ status } = await wire.listen(legacyHeaders(link), request.deadline, onMessage));
  } finally {
    // 405 is how a server says that it never speaks by itself.
    if (status !== 405) endFollowers(wire, () => true);
  }
  if (status >= 400 && status !== 405) throw httpRefusal(status);
}

const teller =
  ({ onNotice }: ListenRequest) =>
  ({ method, params }: Json): void => {
    if (typeof method === "string") onNotice({ method, params: isRecord(params) ? params : {} });
  };

async function listenModern(wire: HttpWire, request: ListenRequest): Promise<void> {
  const id = wire.nextId();
  const method = "subscriptions/listen";
  const answer = await wire.post({
    id,
    method,
    params: { notifications: request.filter, _meta: requestMeta(true, null) },
    headers: { "mcp-protocol-version": MODERN_VERSION, "mcp-method": method },
    deadline: request.deadline,
    onMessage: teller(request),
  });
  if (answer.body !== null) resultOf(messageIn(answer), id);
}

/** Follows resources in a session until its stream ends, on which it is told of them: a server may know only one. */
async function follow(wire: HttpWire, link: Link, { filter, deadline: listening }: ListenRequest): Promise<void> {
  const method = "resources/subscribe";
  await followEach(filter, listening, async (params, deadline) => {
    const id = wire.nextId();
    resultOf(messageIn(await wire.post({ id, method, params, headers: legacyHeaders(link), deadline })), id);
  });
  await new Promise<void>((resolve) => {
    const all = followers.get(wire) ?? new Set();
    followers.set(wire, all);
    const end = () => {
      all.delete(own);
      forget();
      resolve();
    };
    const own: Follower = { link, end };
    const forget = listening.onStop(end);
    all.add(own);
    if (listening.stopped() !== null) end();
  });
}

function endFollowers(wire: HttpWire, which: (each: Follower) => boolean): void {
  for (const each of [...(followers.get(wire) ?? [])]) if (which(each)) each.end();
}

/** Sends our answers to what a server of the sessions era asks on the stream of a request. */
export const answerOver =
  (wire: HttpWire, link: Link, deadline: Deadline) =>
  (message: Json): void => {
    // On the modern wire a server asks by its result only; and one that was told that a call is off waits for nothing in it.
    if (link.greeting.era === "modern" || deadline.stopped() !== null) return;
    wire
      .reply(message, legacyHeaders(link))
      .catch((cause: unknown) => logger.warn({ err: cause }, "a server did not take our answer"));
  };
