"use client";
import { useEffect, useEffectEvent, useRef } from "react";
import { type KeyAct, keyAct } from "@/components/shell/key-steps";

const GOTO_WINDOW_MS = 1000;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches("input:not([type=checkbox]), textarea, select, [role=combobox]"));

/** Listens for the console's keys; `onAct` gets everything but the half-typed go-to. */
export function useConsoleKeys(singleKeys: boolean, onAct: (act: KeyAct) => void): void {
  const gotoUntil = useRef(0);
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const press = {
      key: event.key,
      ctrlOrMeta: event.ctrlKey || event.metaKey,
      alt: event.altKey,
      typing: isTyping(event.target),
    };
    const act = keyAct(press, Date.now() < gotoUntil.current, singleKeys);
    gotoUntil.current = act?.kind === "await-goto" ? Date.now() + GOTO_WINDOW_MS : 0;
    if (act === null || act.kind === "await-goto") return;
    event.preventDefault();
    onAct(act);
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => onKey(event);
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}
