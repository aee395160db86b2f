import { type Deadline, startDeadline } from "@/lib/resilience/deadline";
import { makeSeats } from "@/lib/resilience/seats";

/** Our answers to what a server asks, where each is a POST that may want a connection of its own. */
const LIMIT = { atOnce: 32, waiting: 1_000 };

export type Replies = (send: (deadline: Deadline) => Promise<unknown>) => Promise<void>;

/**
 * Sends answers, a few at a time and each within `ms`: the call in which a server asked may be over by then. One that takes too
 * few of them does not get the rest.
 */
export function makeReplies(ms: number): Replies {
  const places = makeSeats(LIMIT.atOnce, LIMIT.waiting);
  return async (send) => {
    const leave = await places.enter(ms);
    if (typeof leave !== "function") return;
    const deadline = startDeadline(ms);
    try {
      await send(deadline);
    } finally {
      deadline.release();
      leave();
    }
  };
}
