import { singleton } from "@/lib/core/singleton";

/** What became of the spans of this process since its start. */
export const spanCounts = singleton("telemetry.span-counts", () => ({
  /** Taken by the receiver. */
  exported: 0,
  /** Not taken by it: it was away, slow, or refused them. */
  failed: 0,
  /** Given up because too many waited already. */
  dropped: 0,
}));
