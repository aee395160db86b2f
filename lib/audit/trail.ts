import { setTimeout as delay } from "node:timers/promises";
import type { AppendedEntry, EntryDraft } from "@/lib/audit/entry";
import { tellLanded } from "@/lib/audit/landed";
import { OpenCalls } from "@/lib/audit/open-calls";
import { type PreparedEntry, prepareEntry } from "@/lib/audit/prepare-entry";
import { EntrySequencer, type SequencerLimits, type SequencerStore } from "@/lib/audit/sequencer";
import { trailStore } from "@/lib/audit/trail-store";
import { noteAppend, noteFault } from "@/lib/audit/trail-trouble";
import { bus } from "@/lib/core/bus";
import { AppError, isAppError } from "@/lib/core/errors";
import { logger } from "@/lib/core/logger";
import { resetSingleton, singleton } from "@/lib/core/singleton";

const LIMITS: SequencerLimits = {
  maxBatch: 400,
  maxBatchBytes: 4 * 1024 * 1024,
  enough: 12,
  maxQueued: 20_000,
  maxQueuedBytes: 128 * 1024 * 1024,
  maxParallel: 4,
  maxTogether: 16,
  maxWaitMs: 5_000,
  retryMs: 100,
};
const CLOSE_OWED_EVERY_MS = 1_000;

export type Trail = {
  /** Resolves when the entry is durable; rejects with `audit_unavailable` otherwise: within five seconds, ten while the tenant's key cannot be read either. */
  readonly append: (draft: EntryDraft) => Promise<AppendedEntry>;
  /** When the oldest call began whose intent may be in the trail without an outcome (epoch ms); now when there is none. */
  readonly openSince: () => number;
  readonly status: () => TrailStatus;
  /** Writes what is queued and takes nothing more. */
  readonly close: () => Promise<void>;
};

export type TrailStatus = {
  /** False while entries cannot be written. */
  readonly writable: boolean;
  readonly queued: number;
  readonly openCalls: number;
};

/** The one trail of this process. */
export const trail = (): Trail => singleton("audit.trail", () => makeTrail(trailStore));

/** Closes the trail and lets the next call of `trail()` start a new one. */
export async function closeTrail(): Promise<void> {
  await trail().close();
  resetSingleton("audit.trail");
}

/** Made over any store, so that tests can take the database away. */
export function makeTrail(store: SequencerStore, limits: SequencerLimits = LIMITS): Trail {
  const open = new OpenCalls();
  const sequencer = new EntrySequencer(store, limits, {
    appended: announce,
    fate: (entry, fate) => open.settle(entry, fate),
    fault: (fault, cause, entries) => {
      if (fault === "second")
        return void logger.warn("a call was closed by another process, and got no second outcome");
      noteFault(cause);
      logger.error({ fault, entries, err: cause }, "audit entries were not written");
    },
  });

  /** `isOwed`: nobody waits for it, so how it goes is no trouble of its own. */
  async function append(draft: EntryDraft, isOwed: boolean): Promise<AppendedEntry> {
    const { tenantId } = draft;
    const startedAt = performance.now();
    try {
      const prepared = prepareEntry(draft);
      const entry = prepared instanceof Promise ? await waitPrepared(draft, prepared, limits) : prepared;
      open.noteBegin(entry);
      const appended = await sequencer.append(entry);
      tellLanded(entry);
      open.noteEnd(draft);
      if (!isOwed) noteAppend(tenantId, performance.now() - startedAt);
      return appended;
    } catch (cause) {
      // What is refused because the process ends is no trouble of the trail.
      if (!isOwed && !isClosing) noteAppend(tenantId, performance.now() - startedAt, cause);
      throw cause;
    }
  }

  let isClosing = false;
  const closing = setInterval(() => {
    if (sequencer.failing()) return;
    for (const draft of open.takeOwed()) append(draft, true).catch(() => undefined);
  }, CLOSE_OWED_EVERY_MS).unref();

  return {
    append: (draft) => append(draft, false),
    openSince: () => open.since(),
    status: () => ({ writable: !sequencer.failing(), queued: sequencer.queued(), openCalls: open.size() }),
    async close() {
      isClosing = true;
      clearInterval(closing);
      await sequencer.close();
    },
  };
}

function announce(entries: readonly AppendedEntry[]): void {
  const last = entries.at(-1);
  if (last !== undefined) bus.publish({ topic: "entry.appended", tenantId: last.tenantId, seq: last.seq });
}

/** The tenant's key is read from the database: while that is away the entry waits as long as one that is ready to be written. */
async function waitPrepared(
  draft: EntryDraft,
  first: Promise<PreparedEntry>,
  { maxWaitMs, retryMs }: SequencerLimits,
): Promise<PreparedEntry> {
  const giveUpAt = Date.now() + maxWaitMs;
  let attempt: PreparedEntry | Promise<PreparedEntry> = first;
  for (;;) {
    try {
      return await attempt;
    } catch (cause) {
      if (isAppError(cause) && cause.code !== "unavailable") throw cause;
      if (!isAppError(cause) || Date.now() >= giveUpAt) refuseUnprepared(cause);
    }
    await delay(retryMs);
    attempt = prepareEntry(draft);
  }
}

function refuseUnprepared(cause: unknown): never {
  throw new AppError("audit_unavailable", "The audit trail cannot take this entry now.", { retryAfterMs: 1000 }, cause);
}
