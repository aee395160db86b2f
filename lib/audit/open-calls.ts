import type { Fate } from "@/lib/audit/backlog";
import { type ClosedBecause, closingDraft, lateDraft } from "@/lib/audit/closing-draft";
import type { EntryDraft } from "@/lib/audit/entry";
import { tellLanded } from "@/lib/audit/landed";
import type { PreparedEntry } from "@/lib/audit/prepare-entry";

/** Calls of this process whose intent may be in the trail without an outcome, and what is still to be said about them. */
export class OpenCalls {
  /** When each began (epoch ms), by its id. */
  private readonly begun = new Map<string, number>();
  /** Words that could not be written, or not in time: the trail says them as soon as it can. */
  private readonly owed = new Map<string, EntryDraft>();
  /** Words that are ours. One that could not be written either stays as it is: what it says of the call is still true. */
  private readonly ours = new WeakSet<EntryDraft>();

  size(): number {
    return this.begun.size;
  }

  /** The smallest and not the first: clocks are set back. Now when no call is open. */
  since(): number {
    let since = Date.now();
    for (const begun of this.begun.values()) since = Math.min(since, begun);
    return since;
  }

  /** By the time that stands in its intent: recovery looks for it from there. */
  noteBegin({ draft: { phase, callId }, micros }: PreparedEntry): void {
    if (phase === "intent" && callId !== undefined) this.begun.set(callId, Math.floor(micros / 1_000));
  }

  noteEnd({ phase, callId }: EntryDraft): void {
    if (phase === "outcome" && callId !== undefined) this.forget(callId);
  }

  /** An entry was refused to its caller, and now its fate is certain. */
  settle(entry: PreparedEntry, fate: Fate): void {
    if (fate === "landed") tellLanded(entry);
    const { callId, phase } = entry.draft;
    if (callId === undefined) return;
    if (phase === "intent" && fate === "landed") this.owe(callId, entry.draft, "refused");
    else if (phase === "intent") this.forget(callId);
    else if (phase === "outcome") this.settleOutcome(callId, entry.draft, fate);
    else if (fate !== "landed" && this.ours.has(entry.draft)) this.say(callId, entry.draft);
  }

  /** What is owed, to be written now. Should that fail as well, its fate puts it back. */
  *takeOwed(): Generator<EntryDraft> {
    for (const [callId, draft] of this.owed) {
      this.owed.delete(callId);
      yield draft;
    }
  }

  private settleOutcome(callId: string, draft: EntryDraft, fate: Fate): void {
    const wasOpen = this.begun.has(callId);
    if (fate === "dropped" && wasOpen) this.owe(callId, draft, "unrecorded");
    if (fate !== "dropped") this.forget(callId);
    // Another process took us for dead and has closed the call. What came of it is said all the same.
    if (fate === "second" && wasOpen && !this.ours.has(draft)) this.say(callId, lateDraft(draft));
  }

  private owe(callId: string, of: EntryDraft, because: ClosedBecause): void {
    this.say(callId, this.ours.has(of) ? of : closingDraft(of, because));
  }

  private say(callId: string, draft: EntryDraft): void {
    this.ours.add(draft);
    this.owed.set(callId, draft);
  }

  private forget(callId: string): void {
    this.begun.delete(callId);
    this.owed.delete(callId);
  }
}
