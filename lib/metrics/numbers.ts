import type { Figures } from "@/lib/metrics/figures";
import type { SeriesPoint } from "@/lib/metrics/schemas";

type Rated = Pick<Figures, "reached" | "reachedFailures" | "heldBack" | "unavailable">;

/** Failures among calls that reached a server; null where none did. */
export const errorRateOf = ({ reached, reachedFailures }: Rated): number | null =>
  reached === 0 ? null : reachedFailures / reached;

/** Calls that found the server there, among those that wanted it. */
export function availabilityOf({ reached, heldBack, unavailable }: Rated): number | null {
  const wanted = reached + heldBack;
  return wanted === 0 ? null : 1 - (unavailable + heldBack) / wanted;
}

/** Figures as they are told: rates and means instead of sums. */
export function toNumbers(figures: Figures): Omit<SeriesPoint, "at" | "state"> {
  const { reached, totalMs, upstreamMs, queueMs, policyMs, auditMs } = figures;
  const { successes, failures, denied, cancelled, unknown, minMs, maxMs, cacheHits } = figures;
  const { queued, overloaded, heldBack, limited } = figures;
  const mean = (sum: number): number | null => (reached === 0 ? null : sum / reached);
  const ours = Math.max(0, totalMs - upstreamMs - queueMs);
  return {
    ...{ requests: figures.calls, successes, failures, denied, cancelled, unknown, samples: reached },
    ...{ errorRate: errorRateOf(figures), availability: availabilityOf(figures) },
    ...{ meanMs: mean(totalMs), minMs, maxMs, p50Ms: figures.p50, p95Ms: figures.p95, p99Ms: figures.p99 },
    ...{ upstreamMeanMs: mean(upstreamMs), queueMeanMs: mean(queueMs), gatewayMeanMs: mean(ours) },
    ...{ policyMeanMs: mean(policyMs), auditMeanMs: mean(auditMs) },
    ...{ otherMeanMs: mean(Math.max(0, ours - policyMs - auditMs)), outcomeMeanMs: mean(figures.outcomeMs) },
    ...{ cacheHits, cacheHitRatio: mean(cacheHits), queued, overloaded },
    ...{ circuitRefusals: heldBack - overloaded, limited },
  };
}
