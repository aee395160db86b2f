import { setTimeout as pause } from "node:timers/promises";
import { eachMessage, isEventStream, type OnMessage } from "@/lib/cli/bridge-messages";

/** Until the stream is opened again; longer each time that it could not be. */
const REOPEN_AFTER_MS = { first: 1_000, most: 30_000 };
/** By up to this part sooner: clients that lost their streams together do not all come back together. */
const SPREAD = 0.5;
/** The key is no good, the session is gone (its client has to initialize again), or there is no such stream. */
const FOR_GOOD: ReadonlySet<number> = new Set([401, 404, 405]);

/** What happens beside the calls comes on a stream of its own. The door ends it now and then, and is away now and then. */
export async function followSession(
  open: () => Promise<Response>,
  onMessage: OnMessage,
  signal: AbortSignal,
): Promise<void> {
  let waitMs = REOPEN_AFTER_MS.first;
  const isWorthAnother = async () => {
    const answer = await open();
    if (answer.ok && isEventStream(answer)) {
      waitMs = REOPEN_AFTER_MS.first;
      await eachMessage(answer, onMessage);
    } else await answer.body?.cancel();
    return !FOR_GOOD.has(answer.status);
  };
  while (await isWorthAnother().catch(() => !signal.aborted)) {
    await pause(waitMs * (1 - SPREAD * Math.random()), undefined, { signal }).catch(() => undefined);
    waitMs = Math.min(waitMs * 2, REOPEN_AFTER_MS.most);
  }
}
