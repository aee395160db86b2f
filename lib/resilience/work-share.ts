/** Work that may take a share of the process's time, and no more. */
export type WorkShare = {
  /** Runs it; null while the share is used up. */
  readonly run: <T>(work: () => T) => T | null;
};

export type WorkShareOptions = {
  /** Milliseconds. */
  readonly now: () => number;
  readonly share?: number;
  /** What may be used at once after a quiet time. */
  readonly atOnceMs?: number;
};

/** One that is begun is finished: the share may be overdrawn once, and is paid back before the next. */
export function makeWorkShare({ now, share = 0.1, atOnceMs = 2_000 }: WorkShareOptions): WorkShare {
  let leftMs = atOnceMs;
  let countedAt = now();
  return {
    run(work) {
      const startedAt = now();
      leftMs = Math.min(atOnceMs, leftMs + (startedAt - countedAt) * share);
      countedAt = startedAt;
      if (leftMs <= 0) return null;
      try {
        return work();
      } finally {
        leftMs -= now() - startedAt;
      }
    },
  };
}
