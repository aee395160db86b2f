"use client";
import { useSyncExternalStore } from "react";

const NAME = "countersign.single-keys";
const listeners = new Set<() => void>();

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

const read = (): boolean => window.localStorage.getItem(NAME) !== "off";

/** Whether single-key shortcuts are on in this browser, and the switch. */
export function useSingleKeys(): readonly [boolean, (on: boolean) => void] {
  const on = useSyncExternalStore(subscribe, read, () => true);
  const set = (next: boolean) => {
    window.localStorage.setItem(NAME, next ? "on" : "off");
    for (const listener of listeners) listener();
  };
  return [on, set];
}
