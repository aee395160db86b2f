import { Status } from "@/components/ui/status";
import type { HealthView } from "@/lib/servers/schemas";

const SHOWN = {
  healthy: { state: "active", word: "answers" },
  unavailable: { state: "failing", word: "unavailable" },
  unknown: { state: "unknown", word: "not asked yet" },
} as const;

/** Whether a server answers, with why not and since when in the tooltip. */
export function HealthStatus({ health }: { readonly health: HealthView }) {
  const { state, word } = SHOWN[health.status];
  const since = health.since === null ? "" : ` since ${health.since}`;
  return (
    <span className="inline-flex align-middle" title={`${health.reason ?? word}${since}`}>
      <Status state={state}>{word}</Status>
    </span>
  );
}
