import type { Passage } from "@/lib/gateway/circuits";
import type { LimitState } from "@/lib/gateway/rate-limits";
import type { CallTrace } from "@/lib/telemetry/tracing";

declare const proof: unique symbol;

/** Proof that the intent of this call is in the trail for good. Only `recordIntent` makes one. */
export type DurableIntent = {
  readonly passage: Passage;
  /** Tells what the outcome should say besides. */
  readonly note: (notes: Notes) => void;
  readonly trace: CallTrace | null;
  readonly [proof]: "intent";
};

/** What stages learn about a call on its way. */
export type Notes = {
  /** What is left of the caller's limits. */
  readonly limit?: LimitState | undefined;
  readonly cache?: "hit" | undefined;
  readonly retryNo?: number | undefined;
  /** Why nobody could tell whether the arguments are what the tool asks for. */
  readonly unchecked?: string | undefined;
};
