import { type Deadline, type EndCause, startDeadline } from "@/lib/resilience/deadline";

/** A deadline whose clock stands while something slower than a server is waited for: a person. */
export type PausableDeadline = Deadline & {
  /** The clock stands while `work` runs, and gives the whole time again afterwards. */
  readonly pausedFor: <T>(work: () => Promise<T>) => Promise<T>;
};

/** Runs inside another deadline, which still ends it. */
export function startPausableDeadline(timeoutMs: number, outer: Deadline): PausableDeadline {
  const listeners = new Set<() => void>();
  let cause: EndCause | null = outer.stopped();
  let pauses = 0;
  let clock: Deadline | null = null;
  const stop = (why: EndCause) => {
    if (cause !== null) return;
    cause = why;
    for (const listener of [...listeners]) listener();
    listeners.clear();
  };
  const forget = outer.onStop(() => stop(outer.stopped() ?? "cancelled"));
  const run = () => {
    clock = startDeadline(timeoutMs);
    clock.onStop(() => stop("timeout"));
  };
  const halt = () => {
    clock?.release();
    clock = null;
  };
  run();
  return {
    stop,
    kill: () => stop("killed"),
    stopped: () => cause,
    onStop(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    release() {
      forget();
      halt();
      // Nothing may start the clock again once the work is over.
      pauses += 1;
      listeners.clear();
    },
    async pausedFor(work) {
      pauses += 1;
      halt();
      try {
        return await work();
      } finally {
        pauses -= 1;
        if (pauses === 0 && cause === null) run();
      }
    },
  };
}
