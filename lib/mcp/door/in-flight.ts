import { bus } from "@/lib/core/bus";
import type { Leaving } from "@/lib/core/leaving";
import { singleton } from "@/lib/core/singleton";
import type { RpcId } from "@/lib/mcp/door/envelope";
import { uuidOf } from "@/lib/mcp/door/session-ids";

/** Calls of the sessions era that can be cancelled by a later message, or by the end of their session. */
type Running = { readonly controller: AbortController; readonly session: string | null };
type InFlight = Map<string, Running>;

const inFlight = (): InFlight =>
  singleton("mcp.in-flight", () => {
    const running: InFlight = new Map();
    bus.subscribe((message) => {
      if (message.topic !== "agent_session.ended") return;
      for (const { controller, session } of running.values())
        if (session !== null && uuidOf(session) === message.session) controller.abort();
    });
    return running;
  });

/** Only the same key in the same session can cancel; the session id alone authenticates nothing. */
const keyOf = (credentialId: string, session: string | null, id: RpcId): string =>
  JSON.stringify([credentialId, session, id]);

/** Makes a call cancellable while it runs. */
export async function cancellable<T>(
  credentialId: string,
  session: string | null,
  id: RpcId,
  run: (signal: Leaving) => Promise<T>,
): Promise<T> {
  const key = keyOf(credentialId, session, id);
  const controller = new AbortController();
  inFlight().set(key, { controller, session });
  try {
    return await run(controller.signal);
  } finally {
    if (inFlight().get(key)?.controller === controller) inFlight().delete(key);
  }
}

/** Cancels a call; a message that names none of this caller's calls is ignored, as the protocol wants. */
export function cancelCall(credentialId: string, session: string | null, id: unknown): void {
  if (typeof id === "string" || typeof id === "number")
    inFlight()
      .get(keyOf(credentialId, session, id))
      ?.controller.abort();
}
