import type { EntryDraft } from "@/lib/audit/entry";
import { logger } from "@/lib/core/logger";

/** So many that nobody asked about more than once; words about calls are bounded by the calls. */
const MAX_COUNTED = 10_000;

/**
 * Entries that nobody waits for and that could not be written, or not in time: the trail writes them as soon as it can. One
 * that fails again stays as it is, because what it says is still true.
 */
export class OwedEntries {
  /** By the id of the call they are about, otherwise by their own. */
  private readonly drafts = new Map<string, EntryDraft>();
  private readonly known = new WeakSet<EntryDraft>();

  size(): number {
    return this.drafts.size;
  }

  /** True for one that was owed before. */
  isKnown(draft: EntryDraft): boolean {
    return this.known.has(draft);
  }

  /** About a call only the latest word counts. */
  owe(draft: EntryDraft): void {
    const key = draft.callId ?? draft.eventId;
    if (key === undefined) throw new Error("An entry that is owed needs an id.");
    if (draft.callId === undefined && this.drafts.size >= MAX_COUNTED) {
      logger.error({ entry: draft.eventId, count: draft.count }, "an audit entry is lost: too many wait for the trail");
      return;
    }
    this.known.add(draft);
    this.drafts.set(key, draft);
  }

  forget(callId: string): void {
    this.drafts.delete(callId);
  }

  /** Each once, to be written now. */
  *take(): Generator<EntryDraft> {
    for (const [key, draft] of this.drafts) {
      this.drafts.delete(key);
      yield draft;
    }
  }
}
