import type { Fate } from "@/lib/audit/backlog";
import { type ClosedBecause, closingDraft, lateDraft, withheldDraft } from "@/lib/audit/closing-draft";
import type { EntryDraft } from "@/lib/audit/entry";
import { tellLanded } from "@/lib/audit/landed";
import type { OwedEntries } from "@/lib/audit/owed-entries";
import type { PreparedEntry } from "@/lib/audit/prepare-entry";

/** Calls of this process whose intent may be in the trail without an outcome. */
export class OpenCalls {
  /** When each began (epoch ms), by its id. */
  private readonly begun = new Map<string, number>();
  private readonly owed: OwedEntries;

  constructor(owed: OwedEntries) {
    this.owed = owed;
  }

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

  /** An entry was refused to its caller, and now its fate is certain: what is still to be said about its call is owed. */
  settle(entry: PreparedEntry, fate: Fate): void {
    if (fate === "landed") tellLanded(entry);
    const { draft } = entry;
    const { callId, phase } = draft;
    if (callId !== undefined && phase === "intent") this.settleIntent(callId, draft, fate);
    else if (callId !== undefined && phase === "outcome") this.settleOutcome(callId, draft, fate);
    else if (fate !== "landed" && this.owed.isKnown(draft)) this.owed.owe(draft);
  }

  private settleIntent(callId: string, draft: EntryDraft, fate: Fate): void {
    if (fate === "landed") this.close(draft, "refused");
    else this.forget(callId);
  }

  private settleOutcome(callId: string, draft: EntryDraft, fate: Fate): void {
    const wasOpen = this.begun.has(callId);
    if (fate === "dropped" && wasOpen) this.close(draft, "unrecorded");
    if (fate !== "dropped") this.forget(callId);
    const isNews = wasOpen && !this.owed.isKnown(draft);
    if (fate === "landed" && isNews && draft.outcome === "success") this.owed.owe(withheldDraft(draft));
    // Another process took us for dead and has closed the call. What came of it is said all the same.
    if (fate === "second" && isNews) this.owed.owe(lateDraft(draft));
  }

  private close(of: EntryDraft, because: ClosedBecause): void {
    this.owed.owe(this.owed.isKnown(of) ? of : closingDraft(of, because));
  }

  private forget(callId: string): void {
    this.begun.delete(callId);
    this.owed.forget(callId);
  }
}
