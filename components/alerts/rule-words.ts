import { formatMetric, METRIC_WORDS, WATCH_WORDS } from "@/components/alerts/alert-words";
import { formatCount, formatPlural, formatShare } from "@/components/ui/format";
import type { AlertRuleView, Metric } from "@/lib/alerts/schemas";
import type { StatisticsRow } from "@/lib/metrics/schemas";

type Limit = { readonly metric: Metric; readonly threshold: number };

const sideOf = (metric: Metric): "above" | "below" => (metric === "availability" ? "below" : "above");

/** What a rule looks at, as a sentence without its end: "P95 of each server above 5 s". */
export function ruleWords({ metric, threshold, watch, server, tool }: AlertRuleView): string {
  if (watch !== null) return `${WATCH_WORDS[watch].charAt(0).toUpperCase()}${WATCH_WORDS[watch].slice(1)}`;
  if (metric === null) return "";
  const where = server === null ? "each server" : tool === null ? server : `${server}__${tool}`;
  return `${METRIC_WORDS[metric]} of ${where} ${sideOf(metric)} ${formatMetric(metric, threshold)}`;
}

/** Over what a rule is judged: "5 min, at least 20 calls". */
export function windowWords({ watch, windowMinutes, minCalls }: AlertRuleView): string {
  return watch === null
    ? `${windowMinutes} min, at least ${formatPlural(minCalls, "call", "calls")}`
    : "what is so now";
}

export const holdWords = (holdMinutes: number): string => (holdMinutes === 0 ? "at once" : `after ${holdMinutes} min`);

const measuredOf = (row: StatisticsRow, metric: Metric): number | null =>
  ({ p95_ms: row.p95Ms, error_rate: row.errorRate, availability: row.availability })[metric];

/** A single call that goes wrong is no alert. */
const FEWEST_BAD = 2;

/** How many calls count against it; of times, all do. */
function badOf(metric: Metric, value: number, count: number): number {
  if (metric === "p95_ms") return count;
  return Math.round((metric === "availability" ? 1 - value : value) * count);
}

/** Calls that the figure is of: availability also counts those that were held back. */
const countOf = (row: StatisticsRow, metric: Metric): number =>
  metric === "availability" ? row.samples + row.circuitRefusals + row.overloaded : row.samples;

const nameOf = ({ server, tool }: StatisticsRow): string => (tool === "" ? server : `${server}__${tool}`);

export type Preview = { readonly broken: boolean; readonly words: string };

/** What a rule with this limit would say of these figures. */
export function previewOf({ metric, threshold }: Limit, minCalls: number, rows: readonly StatisticsRow[]): Preview {
  const worstFirst = metric === "availability" ? 1 : -1;
  const judged = rows
    .flatMap((row) => {
      const [value, count] = [measuredOf(row, metric), countOf(row, metric)];
      return value === null || count < minCalls ? [] : [{ name: nameOf(row), value, count }];
    })
    .toSorted((a, b) => worstFirst * (a.value - b.value));
  const [worst] = judged;
  if (worst === undefined)
    return {
      broken: false,
      words: `Nothing would be judged now: nowhere were there ${formatPlural(minCalls, "call", "calls")} within the window.`,
    };
  const broken = judged.filter(
    ({ value, count }) =>
      (metric === "availability" ? value < threshold : value > threshold) && badOf(metric, value, count) >= FEWEST_BAD,
  );
  const said = `${METRIC_WORDS[metric]} of ${worst.name} is ${formatMetric(metric, worst.value)} over ${formatPlural(worst.count, "call", "calls")}`;
  const more = broken.length > 1 ? `, and ${formatCount(broken.length - 1)} more` : "";
  return broken.length > 0
    ? { broken: true, words: `It would be broken now: ${said}${more}.` }
    : { broken: false, words: `It would be kept now: at worst, ${said}.` };
}

/** A limit as one types it: milliseconds, or percent. */
export const limitText = (metric: Metric, threshold: number): string =>
  metric === "p95_ms" ? String(threshold) : String(Number((threshold * 100).toFixed(4)));

/** What was typed, as the wire wants it; NaN where it is no number. */
export function limitFrom(metric: Metric, text: string): number {
  const typed = text.trim() === "" ? Number.NaN : Number(text.trim().replace(",", "."));
  return metric === "p95_ms" ? typed : Number((typed / 100).toFixed(6));
}

export const shareHint = (metric: Metric): string =>
  metric === "p95_ms"
    ? "Milliseconds: 5000 is 5 s. Broken above it."
    : metric === "error_rate"
      ? `Percent of calls that reached the server. Broken above it: ${formatShare(0.05)} is the usual limit.`
      : `Percent of calls that found the server there. Broken below it: ${formatShare(0.99)} is the usual limit.`;
