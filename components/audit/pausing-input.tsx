"use client";
import { type ComponentProps, useRef, useState } from "react";
import { Input } from "@/components/ui/input";

const PAUSE_MS = 350;

type Props = Omit<ComponentProps<"input">, "value" | "onChange" | "onBlur" | "onKeyDown"> & {
  readonly value: string;
  readonly onCommit: (text: string) => void;
};

/**
 * A text filter that acts when one pauses or presses Enter; each keystroke would be a search in the trail.
 * Leaving the field does not act at once: the list would move under the pointer that is about to click in it.
 */
export function PausingInput({ value, onCommit, ...rest }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const commit = (text: string) => {
    clearTimeout(timer.current);
    timer.current = undefined;
    if (text.trim() !== value) onCommit(text.trim());
  };
  return (
    <Input
      {...rest}
      value={draft ?? value}
      onChange={({ target }) => {
        const text = target.value;
        setDraft(text);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => {
          commit(text);
          if (document.activeElement !== target) setDraft(null);
        }, PAUSE_MS);
      }}
      onBlur={() => {
        if (timer.current === undefined) setDraft(null);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Enter" || draft === null) return;
        commit(draft);
        setDraft(null);
      }}
    />
  );
}
