import { singleton } from "@/lib/core/singleton";
import type { RpcId } from "@/lib/mcp/door/envelope";

/** Calls of the sessions era that can be cancelled by a later message. */
type InFlight = Map<string, AbortController>;

const inFlight = (): InFlight => singleton("mcp.in-flight", () => new Map());

/** Only the same key in the same session can cancel; the session id alone authenticates nothing. */
const keyOf = (credentialId: string, session: string | null, id: RpcId): string =>
  JSON.stringify([credentialId, session, id]);

/** Makes a call cancellable while it runs. */
export async function cancellable<T>(
  credentialId: string,
  session: string | null,
  id: RpcId,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const key = keyOf(credentialId, session, id);
  const controller = new AbortController();
  inFlight().set(key, controller);
  try {
    return await run(controller.signal);
  } finally {
    if (inFlight().get(key) === controller) inFlight().delete(key);
  }
}

/** Cancels a call; a message that names none of this caller's calls is ignored, as the protocol wants. */
export function cancelCall(credentialId: string, session: string | null, id: unknown): void {
  if (typeof id === "string" || typeof id === "number")
    inFlight()
      .get(keyOf(credentialId, session, id))
      ?.abort();
}
