/** What a person does at a page. */
const ACTS = ["pointerdown", "pointermove", "keydown", "wheel", "touchmove"] as const;
const ATTENDED_MS = 60_000;

/**
 * Whether somebody touched the page within the last minute. By the time of day, which goes on while a computer sleeps.
 */
export function watchPresence(
  page: Pick<EventTarget, "addEventListener">,
  now: () => number = Date.now,
): () => boolean {
  let lastAct = now();
  const noteAct = () => {
    lastAct = now();
  };
  for (const act of ACTS) page.addEventListener(act, noteAct, { capture: true, passive: true });
  return () => now() - lastAct <= ATTENDED_MS;
}
