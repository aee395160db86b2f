import type { MouseEvent } from "react";

/** Handles a plain click or Enter on a link within the page; a new tab or window stays the browser's. */
export const onPlainClick =
  (act: () => void) =>
  (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
    event.preventDefault();
    act();
  };
