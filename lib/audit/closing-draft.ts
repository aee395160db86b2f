import type { EntryDraft } from "@/lib/audit/entry";

/**
 * Why a call is closed by the trail and not by the gateway:
 * - `refused`: its intent was written after its caller had already been refused, so nothing was called;
 * - `unrecorded`: the call ran, and its outcome could not be written, so the answer was withheld;
 * - `lost`: the process that ran it is gone.
 */
export type ClosedBecause = "refused" | "unrecorded" | "lost";

const WORDS = {
  refused: { outcome: "failure", reasonCode: "audit_unavailable", reason: "Refused before anything was called." },
  unrecorded: { outcome: "unknown", reasonCode: "outcome_unrecorded", reason: "The outcome could not be recorded." },
  lost: { outcome: "unknown", reasonCode: "gateway_stopped", reason: "The gateway stopped before the call ended." },
} as const;

/**
 * What came of a call that was closed as lost meanwhile: its process was cut off from the database for so long that others
 * took it for dead. A call has one outcome, so this is a word about it; the answer is withheld.
 */
export function lateDraft(of: EntryDraft): EntryDraft {
  const { eventId: _, ...same } = of;
  return { ...same, phase: "system", eventType: "tool_call.finished_late" };
}

/**
 * The outcome of a call is in the trail and says that it got an answer, but nobody could tell that in time, so the answer was
 * withheld from its caller.
 */
export function withheldDraft(of: EntryDraft): EntryDraft {
  const { eventId: _, payload: __, latencyMs: ___, upstreamMs: ____, bytesOut: _____, ...same } = of;
  const why = { reasonCode: "audit_unavailable", reason: "The outcome was not known to be in the trail in time." };
  return { ...same, ...why, phase: "system", eventType: "tool_call.answer_withheld", outcome: "failure" };
}

/** The outcome entry of a call that has none, made from its intent or from the outcome that could not be written. */
export function closingDraft(of: EntryDraft, because: ClosedBecause): EntryDraft {
  const { eventId: _, payload: __, latencyMs: ___, upstreamMs: ____, bytesOut: _____, ...same } = of;
  return {
    ...same,
    phase: "outcome",
    eventType: because === "refused" ? "tool_call.refused" : "tool_call.lost",
    ...WORDS[because],
  };
}
