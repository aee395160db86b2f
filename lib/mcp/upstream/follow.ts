import { isAppError } from "@/lib/core/errors";
import { logger } from "@/lib/core/logger";
import type { Json, Notice } from "@/lib/mcp/upstream/protocol";
import { type Deadline, startDeadline } from "@/lib/resilience/deadline";

/** What each list is called in the words of `subscriptions/listen`. */
const LISTS: Readonly<Record<string, string>> = {
  "notifications/tools/list_changed": "toolsListChanged",
  "notifications/prompts/list_changed": "promptsListChanged",
  "notifications/resources/list_changed": "resourcesListChanged",
};
/** For a server to say whether it will tell of a resource. */
const ANSWER_MS = 30_000;

/** The resources that a server is asked to tell of. */
export function followedIn({ resourceSubscriptions: uris }: Json): readonly string[] {
  return Array.isArray(uris) ? uris.map(String) : [];
}

/** Whether that is what was asked for, where one connection carries it together with what others asked for. */
export function isAskedFor(filter: Json, { method, params }: Notice): boolean {
  if (method === "notifications/resources/updated") return followedIn(filter).includes(String(params["uri"]));
  return filter[LISTS[method] ?? ""] === true;
}

/** Asks a server of the sessions era to tell of each resource. It may refuse single ones, for those are told nothing of. */
export async function followEach(
  filter: Json,
  listening: Deadline,
  subscribe: (params: Json, deadline: Deadline) => Promise<unknown>,
): Promise<void> {
  for (const uri of followedIn(filter)) {
    const deadline = startDeadline(ANSWER_MS);
    const forget = listening.onStop(deadline.kill);
    try {
      await subscribe({ uri }, deadline);
    } catch (cause) {
      if (listening.stopped() !== null || !isRefusal(cause)) throw cause;
      logger.debug({ err: cause }, "a server does not tell of a resource");
    } finally {
      forget();
      deadline.release();
    }
  }
}

/** An answer about this resource. One of status 400 with this code is how many servers say that they lost the session. */
function isRefusal(cause: unknown): boolean {
  if (!isAppError(cause) || typeof cause.detail["rpcCode"] !== "number") return false;
  return cause.detail["httpStatus"] !== 400 || cause.detail["rpcCode"] !== -32000;
}
