import type { Leaving } from "@/lib/core/leaving";

/** Why waiting ended: time ran out, or the one who asked went away. */
export type StopCause = "timeout" | "cancelled";
/** Why work was stopped: also when a person threw a kill switch. */
export type EndCause = StopCause | "killed";

export type Deadline = {
  /** Null while the work may go on. */
  readonly stopped: () => EndCause | null;
  /** Calls back once when the work has to stop. Returns the function that takes the wish back. */
  readonly onStop: (listener: () => void) => () => void;
  /** Stops the work before its time; the first cause counts. */
  readonly stop: (why: EndCause) => void;
  readonly kill: () => void;
  /** Must be called when the work is over: it drops the timer and the listeners. */
  readonly release: () => void;
};

/** One whose time does not run yet. The caller's leaving and a kill switch end it all the same. */
export type LaterDeadline = Deadline & {
  /** Lets the time run; only the first time counts. */
  readonly begin: (timeoutMs: number) => void;
};

/** A deadline that runs from now on. */
export function startDeadline(timeoutMs: number, caller?: Leaving): Deadline {
  const deadline = makeDeadline(caller);
  deadline.begin(timeoutMs);
  return deadline;
}

/**
 * One word for "time is up" and "the caller left". Leaner than a signal of its own: a call needs several of these,
 * and `AbortSignal.any` keeps its sources' listeners until collection.
 */
export function makeDeadline(caller?: Leaving): LaterDeadline {
  const listeners = new Set<() => void>();
  let cause: EndCause | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isReleased = false;
  const stop = (why: EndCause) => {
    if (cause !== null) return;
    cause = why;
    for (const listener of listeners) listener();
    listeners.clear();
  };
  const onCancel = () => stop("cancelled");
  if (caller?.aborted) onCancel();
  else caller?.addEventListener("abort", onCancel, { once: true });
  return {
    begin(timeoutMs) {
      if (timer === null && !isReleased) timer = setTimeout(() => stop("timeout"), timeoutMs);
    },
    stopped: () => cause,
    stop,
    kill: () => stop("killed"),
    onStop(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    release() {
      isReleased = true;
      if (timer !== null) clearTimeout(timer);
      caller?.removeEventListener("abort", onCancel);
      listeners.clear();
    },
  };
}
