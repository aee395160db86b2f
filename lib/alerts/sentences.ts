import type { Finding, Standing } from "@/lib/alerts/judge";
import type { MetricRule, Subject } from "@/lib/alerts/rules";
import { subjectName } from "@/lib/alerts/rules";
import type { Metric, Watch } from "@/lib/alerts/schemas";

const MEASURE: Readonly<Record<Metric, string>> = {
  p95_ms: "P95",
  error_rate: "The error rate",
  availability: "Availability",
};

/** Without digits that say nothing: 5 s, 7.2 s, 320 ms. */
function timeWords(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return `${trim((ms / 1_000).toFixed(1))} s`;
}
/** Near the whole more digits count: 99.95 %. */
const shareWords = (share: number): string => `${trim((share * 100).toFixed(share > 0.99 && share < 1 ? 2 : 1))} %`;
const trim = (digits: string): string => String(Number(digits));

export const valueWords = (metric: Metric, value: number): string =>
  metric === "p95_ms" ? timeWords(value) : shareWords(value);

const minutes = (count: number): string => (count === 1 ? "minute" : `${count} minutes`);
const calls = (count: number): string => (count === 1 ? "1 call" : `${count} calls`);

type Said = Pick<MetricRule, "metric" | "threshold" | "windowMinutes" | "minCalls">;

/** Why an alert about figures stands as it does, in a full sentence. */
export function metricReason(rule: Said, subject: Subject, found: Finding, standing: Standing): string {
  const { metric, threshold, windowMinutes, minCalls } = rule;
  const name = subjectName(subject);
  if (found.kind === "quiet") {
    const last = standing.value === null ? "" : ` The last value was ${valueWords(metric, standing.value)}.`;
    const few = `${calls(found.calls ?? 0)} to ${name} in the last ${minutes(windowMinutes)}: too few to judge, ${minCalls} are needed.`;
    return standing.state === "resolved" ? `Closed for want of traffic. ${few}${last}` : `${few}${last}`;
  }
  const value = valueWords(metric, found.value ?? standing.value ?? 0);
  const of = found.calls === undefined ? "" : ` (${calls(found.calls)})`;
  const was = `${MEASURE[metric]} of ${name} was ${value} over the last ${minutes(windowMinutes)}${of}`;
  const limit = valueWords(metric, threshold);
  if (found.kind === "broken") return `${was}, ${metric === "availability" ? "below" : "above"} ${limit}.`;
  if (standing.state === "resolved")
    return `${was}: no longer ${metric === "availability" ? "below" : "above"} ${limit}.`;
  return `${was}, with ${limit} as the limit. It is over when it stays like this.`;
}

const OVER: Readonly<Record<Watch, (name: string) => string>> = {
  circuit_open: (name) => `No circuit of ${name} is open any more.`,
  server_unhealthy: (name) => `Server ${name} answers again.`,
  trail_failing: () => "The trail takes entries again, in good time.",
  verification_failed: () => "The trail verifies again.",
  kill_switch_used: (name) => `The kill switch of ${name} was lifted.`,
};

/** Why an alert of a watch stands as it does, once what it is about is no longer so. */
export function watchOver(watch: Watch, subject: Subject, standing: Standing): string {
  const over = OVER[watch](subjectName(subject));
  return standing.state === "resolved" ? over : `${over} The alert closes when it stays like this.`;
}
