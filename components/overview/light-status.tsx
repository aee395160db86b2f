import { Status } from "@/components/ui/status";
import type { LightView } from "@/lib/metrics/schemas";

const SHOWN = {
  HEALTHY: { state: "healthy", word: "healthy" },
  WARNING: { state: "warning", word: "warning" },
  CRITICAL: { state: "critical", word: "critical" },
  UNKNOWN: { state: "quiet", word: "unknown" },
} as const;

/** Glyph and word of a light, with its reason in the tooltip. */
export function LightStatus({ light, className }: { readonly light: LightView; readonly className?: string }) {
  const { state, word } = SHOWN[light.light];
  return (
    <span className="inline-flex align-middle" title={light.reason}>
      <Status state={state} className={className}>
        {word}
      </Status>
    </span>
  );
}
