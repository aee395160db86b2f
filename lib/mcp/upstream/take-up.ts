import { isAppError } from "@/lib/core/errors";
import type { Place } from "@/lib/mcp/upstream/answer-reader";
import type { Exchanged } from "@/lib/mcp/upstream/exchange";
import { broken, stopped } from "@/lib/mcp/upstream/faults";
import type { HttpWire, Posted } from "@/lib/mcp/upstream/http-wire";
import type { Deadline } from "@/lib/resilience/deadline";

/** A server may want to be asked sooner than is good for it, and need not say when. */
const [LEAST_MS, USUAL_MS] = [100, 1_000];
/** A server that is started anew may be away for a moment. */
const MAX_AWAY = 4;

/**
 * The answer to a request whose stream ended before it. Since 2025-11-25 a server may end a stream that it wants to be asked
 * for again, by GET with the id of the last event; one that keeps its events may be taken up after a broken connection as
 * well. Nothing is executed again. Until the deadline; throws `upstream_protocol` where the server does not take it up.
 */
export async function takeUp(wire: HttpWire, posted: Posted, from: Place): Promise<Exchanged> {
  let place = from;
  let away = 0;
  for (;;) {
    await pause(Math.max(LEAST_MS, place.retryMs ?? USUAL_MS), posted.deadline);
    const answer = await restOf(wire, posted, place).catch((cause: unknown) => {
      away += 1;
      if (away > MAX_AWAY || !isAppError(cause) || cause.code !== "upstream_unreachable") throw cause;
      return null;
    });
    if (answer === null) continue;
    if (answer.status !== 200)
      throw broken(`its stream ended before the answer, and going on with it was refused (${answer.status})`);
    if (answer.body !== null || answer.read !== undefined) return answer;
    away = 0;
    const { lastEventId = place.lastEventId, retryMs = null } = answer.place ?? {};
    place = { lastEventId, retryMs: retryMs ?? place.retryMs };
  }
}

const restOf = (wire: HttpWire, posted: Posted, { lastEventId }: Place): Promise<Exchanged> =>
  wire.rest({ ...posted, headers: { ...posted.headers, "last-event-id": lastEventId } });

/** A server may say that it wants to be left alone for days: the deadline ends the wait, and its timer. */
const pause = (ms: number, deadline: Deadline): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      forget();
      resolve();
    }, ms);
    const onStop = () => {
      clearTimeout(timer);
      reject(stopped(deadline.stopped() ?? "cancelled"));
    };
    const forget = deadline.onStop(onStop);
    if (deadline.stopped() !== null) onStop();
  });
