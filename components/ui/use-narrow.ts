"use client";
import { useSyncExternalStore } from "react";

const QUERY = "(max-width: 639.98px)";

function subscribe(changed: () => void): () => void {
  const list = window.matchMedia(QUERY);
  list.addEventListener("change", changed);
  return () => list.removeEventListener("change", changed);
}

/** True under 640 px, where drawers are pages and tables are two-line rows. False on the server. */
export const useNarrow = (): boolean =>
  useSyncExternalStore(
    subscribe,
    () => window.matchMedia(QUERY).matches,
    () => false,
  );
