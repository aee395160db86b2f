import { CHART } from "@/components/charts/palette";
import type { Series } from "@/components/charts/series";
import { formatDuration, formatPlural } from "@/components/ui/format";
import type { CircuitKind, CircuitTimeline } from "@/lib/metrics/schemas";

/** The same glyphs and words as everywhere; each state has a fill of its own. */
export const CIRCUIT_STATES: readonly (Series & { readonly key: CircuitKind })[] = [
  { key: "closed", label: "● closed", color: CHART.succeeded, fill: "solid" },
  { key: "open", label: "○ open", color: CHART.denied, fill: "hatch" },
  { key: "half-open", label: "◐ half-open", color: CHART.failed, fill: "dots" },
  { key: "forced-open", label: "⊘ forced open", color: CHART.denied, fill: "cross" },
  { key: "disabled", label: "‖ disabled", color: CHART.axis, fill: "rows" },
];

/** `opened 2 times, not closed for 3 min 5 s`; what it was in without interruption is not worth a word. */
export function circuitSummary({ opens, timeIn }: Pick<CircuitTimeline, "opens" | "timeIn">): string {
  const away = timeIn.open + timeIn["half-open"] + timeIn["forced-open"];
  const parts = [
    opens === 0 ? "did not open" : `opened ${formatPlural(opens, "time", "times")}`,
    away === 0 ? null : `not closed for ${formatDuration(away)}`,
    timeIn.disabled === 0 ? null : `disabled for ${formatDuration(timeIn.disabled)}`,
  ];
  return parts.filter((part) => part !== null).join(", ");
}
