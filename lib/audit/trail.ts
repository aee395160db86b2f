import { setTimeout as delay } from "node:timers/promises";
import type { AppendedEntry, EntryDraft } from "@/lib/audit/entry";
import { tellLanded } from "@/lib/audit/landed";
import { OpenCalls } from "@/lib/audit/open-calls";
import { OwedEntries } from "@/lib/audit/owed-entries";
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
const WRITE_OWED_EVERY_MS = 1_000;

export type Trail = {
  /** Resolves when the entry is durable; rejects with `audit_unavailable` otherwise: within five seconds, ten while the tenant's key cannot be read either. */
  readonly append: (draft: EntryDraft) => Promise<AppendedEntry>;
  /** For an entry with an id that nobody waits for: what cannot be written now is written as soon as it can be. Resolves after the first attempt. */
  readonly owe: (draft: EntryDraft) => Promise<void>;
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
  const owed = new OwedEntries();
  const open = new OpenCalls(owed);
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

  async function append(draft: EntryDraft): Promise<AppendedEntry> {
    const { tenantId } = draft;
    const startedAt = performance.now();
    try {
      const prepared = prepareEntry(draft);
      const entry = prepared instanceof Promise ? await waitPrepared(draft, prepared, limits) : prepared;
      open.noteBegin(entry);
      const appended = await sequencer.append(entry);
      tellLanded(entry);
      open.noteEnd(draft);
      noteAppend(tenantId, performance.now() - startedAt);
      return appended;
    } catch (cause) {
      // What is refused because the process ends is no trouble of the trail.
      if (!isClosing) noteAppend(tenantId, performance.now() - startedAt, cause);
      throw cause;
    }
  }

  /** Nobody waits for it, so how it goes is no trouble of its own. Once the sequencer has it, its fate puts it back. */
  async function appendOwed(draft: EntryDraft): Promise<void> {
    let entry: PreparedEntry;
    try {
      entry = await prepareEntry(draft);
    } catch (cause) {
      logger.warn({ err: cause }, "an audit entry that is owed could not be prepared and will be tried again");
      return owed.owe(draft);
    }
    await sequencer.append(entry).then(
      () => {
        tellLanded(entry);
        open.noteEnd(draft);
      },
      () => undefined,
    );
  }

  async function writeOwed(): Promise<void> {
    if (!sequencer.failing()) await Promise.all(Array.from(owed.take(), appendOwed));
  }

  let isClosing = false;
  const paying = setInterval(() => void writeOwed(), WRITE_OWED_EVERY_MS).unref();

  return {
    append,
    async owe(draft) {
      owed.owe(draft);
      await writeOwed();
    },
    openSince: () => open.since(),
    status: () => ({ writable: !sequencer.failing(), queued: sequencer.queued(), openCalls: open.size() }),
    async close() {
      isClosing = true;
      clearInterval(paying);
      // Even if it failed a moment ago: there is no other time.
      await Promise.all(Array.from(owed.take(), appendOwed));
      await sequencer.close();
      if (owed.size() > 0) logger.error({ entries: owed.size() }, "audit entries that were owed could not be written");
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
  const giveUpAt = performance.now() + maxWaitMs;
  let attempt: PreparedEntry | Promise<PreparedEntry> = first;
  for (;;) {
    try {
      return await attempt;
    } catch (cause) {
      if (isAppError(cause) && cause.code !== "unavailable") throw cause;
      if (!isAppError(cause) || performance.now() >= giveUpAt) refuseUnprepared(cause);
    }
    await delay(retryMs);
    attempt = prepareEntry(draft);
  }
}

function refuseUnprepared(cause: unknown): never {
  throw new AppError("audit_unavailable", "The audit trail cannot take this entry now.", { retryAfterMs: 1000 }, cause);
}
