import type { EntryDraft } from "@/lib/audit/entry";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";

/** An entry that is in the trail for good, with the time that stands in it. */
export type LandedEntry = { readonly ts: string; readonly draft: EntryDraft };
type Listener = (entry: LandedEntry) => void;

const held = singleton("audit.landed", () => ({ listener: null as Listener | null }));

/** Told of every outcome of a call that the trail took, in this process; null ends it. Must be quick: calls wait for it. */
export function listenToOutcomes(listener: Listener | null): void {
  held.listener = listener;
}

/** Tells the listener. What goes wrong there is no concern of the trail. */
export function tellLanded(entry: LandedEntry): void {
  if (held.listener === null || entry.draft.phase !== "outcome") return;
  try {
    held.listener(entry);
  } catch (cause) {
    logger.error({ err: cause }, "an outcome was not counted");
  }
}
