import type { Leaving } from "@/lib/core/leaving";
import type { StopCause } from "@/lib/resilience/deadline";

/** Gives the place back, once. */
export type Leave = () => void;

export type SeatFigures = {
  readonly inUse: number;
  readonly queued: number;
  /** How often somebody found no place free. */
  readonly exhausted: number;
  /** How often not even a place to wait in was left. */
  readonly refused: number;
};

/** Bounds what one server may hold of us: calls in flight, and calls that wait for one to end. */
export type Seats = {
  /** A place at once; else the promise of one, or of why the wait ended; null when too many wait already. */
  readonly enter: (maxWaitMs: number, signal?: Leaving) => Leave | Promise<Leave | StopCause> | null;
  readonly figures: () => SeatFigures;
};

/** A room of `limit` places with a queue of `maxQueued`, first come, first served. */
export function makeSeats(limit: number, maxQueued: number): Seats {
  const waiting = new Set<() => void>();
  let [inUse, exhausted, refused] = [0, 0, 0];

  function seat(): Leave {
    inUse += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      inUse -= 1;
      const next = waiting.values().next();
      if (!next.done) next.value();
    };
  }

  function wait(maxWaitMs: number, signal: Leaving | undefined): Promise<Leave | StopCause> {
    return new Promise((resolve) => {
      const end = (outcome: () => Leave | StopCause) => {
        waiting.delete(take);
        clearTimeout(timer);
        signal?.removeEventListener("abort", onCancel);
        resolve(outcome());
      };
      const take = () => end(seat);
      const onCancel = () => end(() => "cancelled");
      const timer = setTimeout(() => end(() => "timeout"), maxWaitMs);
      waiting.add(take);
      if (signal?.aborted) onCancel();
      else signal?.addEventListener("abort", onCancel, { once: true });
    });
  }

  return {
    enter(maxWaitMs, signal) {
      if (inUse < limit) return seat();
      exhausted += 1;
      if (waiting.size < maxQueued) return wait(maxWaitMs, signal);
      refused += 1;
      return null;
    },
    figures: () => ({ inUse, queued: waiting.size, exhausted, refused }),
  };
}
