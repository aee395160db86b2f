"use client";
import { useSyncExternalStore } from "react";
import { formatRelative, formatUtc } from "@/components/ui/format";

const TICK_MS = 10_000;
const listeners = new Set<() => void>();
let now = 0;
let timer: ReturnType<typeof setInterval> | null = null;

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const listener of listeners) listener();
  }, TICK_MS);
  return () => {
    listeners.delete(changed);
    if (listeners.size === 0 && timer !== null) {
      clearInterval(timer);
      timer = null;
      now = 0;
    }
  };
}

function currentTime(): number {
  if (now === 0) now = Date.now();
  return now;
}

/** One clock for the whole page; null on the server, which cannot know when the page is looked at. */
export const useNow = (): number | null => useSyncExternalStore(subscribe, currentTime, () => null);

export type TimeProps = {
  readonly iso: string;
  /** `relative` shows "3 min. ago", `exact` the UTC time, `both` the two. The other one is in the tooltip. */
  readonly show?: "relative" | "exact" | "both";
  readonly className?: string | undefined;
};

export function Time({ iso, show = "relative", className }: TimeProps) {
  const nowMs = useNow();
  const exact = formatUtc(iso);
  const ago = nowMs === null ? exact : formatRelative(iso, nowMs);
  const text = show === "relative" ? ago : show === "exact" ? exact : ago === exact ? exact : `${exact} (${ago})`;
  return (
    <time dateTime={iso} title={show === "relative" ? exact : ago} className={className}>
      {text}
    </time>
  );
}
