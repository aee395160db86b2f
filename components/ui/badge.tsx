import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/components/ui/cn";

export type Tone = "neutral" | "accent" | "ok" | "bad" | "warn" | "info";

export const toneText: Readonly<Record<Tone, string>> = {
  neutral: "text-muted",
  accent: "text-accent-text",
  ok: "text-ok",
  bad: "text-bad",
  warn: "text-warn",
  info: "text-info",
};

const TONE: Readonly<Record<Tone, string>> = {
  neutral: "border-line bg-surface text-muted",
  accent: "border-transparent bg-accent-soft text-accent-text",
  ok: "border-transparent bg-ok-soft text-ok",
  bad: "border-transparent bg-bad-soft text-bad",
  warn: "border-transparent bg-warn-soft text-warn",
  info: "border-transparent bg-info-soft text-info",
};

/** A word with a tone and, where the tone carries meaning, a glyph: never colour alone. */
export function Badge({
  tone = "neutral",
  glyph,
  className,
  children,
  ...rest
}: ComponentProps<"span"> & { readonly tone?: Tone; readonly glyph?: ReactNode }) {
  return (
    <span
      className={cn(
        "inline-flex h-5 items-center gap-1 rounded-sm border px-1.5 text-xs whitespace-nowrap [&_svg]:size-3",
        TONE[tone],
        className,
      )}
      {...rest}
    >
      {glyph}
      {children}
    </span>
  );
}
