import {
  Ban,
  BellRing,
  Check,
  CircleDashed,
  CircleHelp,
  Hourglass,
  OctagonAlert,
  Pause,
  Pencil,
  Timer,
  TriangleAlert,
  Unplug,
} from "lucide-react";
import type { ReactNode } from "react";
import { type Tone, toneText } from "@/components/ui/badge";
import { cn } from "@/components/ui/cn";

const disc = (fill: "full" | "half" | "none") => (
  <svg viewBox="0 0 16 16" aria-hidden="true">
    <circle
      cx="8"
      cy="8"
      r="6"
      fill={fill === "full" ? "currentColor" : "none"}
      stroke="currentColor"
      strokeWidth="2"
    />
    {fill === "half" ? <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" /> : null}
  </svg>
);

/** Every state has its glyph, its word and its tone. */
const STATES = {
  closed: { tone: "ok", word: "closed", glyph: disc("full") },
  "half-open": { tone: "warn", word: "half-open", glyph: disc("half") },
  open: { tone: "bad", word: "open", glyph: disc("none") },
  "forced-open": { tone: "bad", word: "forced open", glyph: <Ban aria-hidden /> },
  allowed: { tone: "ok", word: "allowed", glyph: <Check aria-hidden /> },
  denied: { tone: "bad", word: "denied", glyph: <Ban aria-hidden /> },
  unknown: { tone: "warn", word: "unknown", glyph: <CircleHelp aria-hidden /> },
  success: { tone: "ok", word: "success", glyph: <Check aria-hidden /> },
  failure: { tone: "bad", word: "failure", glyph: <TriangleAlert aria-hidden /> },
  slow: { tone: "warn", word: "slow", glyph: <Timer aria-hidden /> },
  failing: { tone: "bad", word: "failing", glyph: <TriangleAlert aria-hidden /> },
  silent: { tone: "bad", word: "no answer", glyph: <Unplug aria-hidden /> },
  held: { tone: "warn", word: "held", glyph: <TriangleAlert aria-hidden /> },
  pending: { tone: "info", word: "pending", glyph: <Hourglass aria-hidden /> },
  active: { tone: "ok", word: "active", glyph: <Check aria-hidden /> },
  enabled: { tone: "ok", word: "enabled", glyph: <Check aria-hidden /> },
  disabled: { tone: "neutral", word: "disabled", glyph: <Pause aria-hidden /> },
  suspended: { tone: "warn", word: "suspended", glyph: <Pause aria-hidden /> },
  draft: { tone: "info", word: "draft", glyph: <Pencil aria-hidden /> },
  healthy: { tone: "ok", word: "healthy", glyph: <Check aria-hidden /> },
  warning: { tone: "warn", word: "warning", glyph: <TriangleAlert aria-hidden /> },
  critical: { tone: "bad", word: "critical", glyph: <OctagonAlert aria-hidden /> },
  quiet: { tone: "neutral", word: "no traffic", glyph: <CircleDashed aria-hidden /> },
  firing: { tone: "bad", word: "firing", glyph: <BellRing aria-hidden /> },
  resolved: { tone: "ok", word: "resolved", glyph: <Check aria-hidden /> },
} as const satisfies Record<string, { tone: Tone; word: string; glyph: ReactNode }>;

export type StatusState = keyof typeof STATES;

/** Glyph and word of a state. `children` replaces the word where another says more. */
export function Status({
  state,
  className,
  children,
}: {
  readonly state: StatusState;
  readonly className?: string | undefined;
  readonly children?: ReactNode;
}) {
  const { tone, word, glyph } = STATES[state];
  return (
    <span
      className={cn(
        "inline-flex items-center gap-1.5 align-middle whitespace-nowrap [&_svg]:size-3.5 [&_svg]:shrink-0",
        toneText[tone],
        className,
      )}
    >
      {glyph}
      <span>{children ?? word}</span>
    </span>
  );
}
