import type { Patience } from "@/lib/alerts/judge";
import type { Metric, Severity, Watch } from "@/lib/alerts/schemas";

type Common = {
  readonly id: string;
  readonly name: string;
  readonly severity: Severity;
  readonly enabled: boolean;
  readonly holdMinutes: number;
};

/** A rule that holds figures against a threshold. `server` null: each server on its own. */
export type MetricRule = Common & {
  readonly watch: null;
  readonly metric: Metric;
  readonly threshold: number;
  readonly server: string | null;
  readonly tool: string | null;
  readonly windowMinutes: number;
  readonly minCalls: number;
};
/** A rule that every tenant has, about something that is either so or not. */
export type WatchRule = Common & { readonly watch: Watch; readonly metric: null };
export type Rule = MetricRule | WatchRule;

/** What an alert is about. `key` tells subjects of one rule apart. */
export type Subject = {
  readonly key: string;
  readonly server: string | null;
  readonly tool: string | null;
  readonly target: string | null;
};

export const serverSubject = (server: string, tool: string | null = null): Subject => ({
  key: tool === null ? server : `${server}/${tool}`,
  server,
  tool,
  target: null,
});

/** What people call the subject; a tool by the name it has at the door. */
export function subjectName({ key, server, tool, target }: Subject): string {
  if (target !== null) return target;
  return server !== null && tool !== null ? `${server}__${tool}` : key;
}

/** How often a watch must be found well in a row: what comes and goes by itself longer than what a person ends. */
const WATCH_ROUNDS: Readonly<Record<Watch, number>> = {
  circuit_open: 6,
  server_unhealthy: 3,
  trail_failing: 3,
  verification_failed: 1,
  kill_switch_used: 1,
};
const METRIC_ROUNDS = 3;
const MINUTE_MS = 60_000;

export function patienceOf(rule: Rule): Patience {
  const holdMs = rule.holdMinutes * MINUTE_MS;
  if (rule.watch !== null) return { holdMs, wellRounds: WATCH_ROUNDS[rule.watch], quietMs: 0, worse: "higher" };
  return {
    holdMs,
    wellRounds: METRIC_ROUNDS,
    quietMs: Math.max(10, 2 * rule.windowMinutes) * MINUTE_MS,
    worse: rule.metric === "availability" ? "lower" : "higher",
  };
}

const EVERYWHERE = { server: null, tool: null, windowMinutes: 5, minCalls: 20 };

/** The rules a tenant begins with. The first three are its own to change or delete. */
export const FIRST_RULES: readonly (Omit<MetricRule, "id" | "enabled"> | Omit<WatchRule, "id" | "enabled">)[] = [
  {
    ...{ name: "Slow answers", severity: "warning", holdMinutes: 0, watch: null },
    ...{ metric: "p95_ms", threshold: 5_000, ...EVERYWHERE },
  },
  {
    ...{ name: "Failing calls", severity: "warning", holdMinutes: 0, watch: null },
    ...{ metric: "error_rate", threshold: 0.05, ...EVERYWHERE },
  },
  {
    ...{ name: "Server not there for calls", severity: "critical", holdMinutes: 0, watch: null },
    ...{ metric: "availability", threshold: 0.99, ...EVERYWHERE },
  },
  { name: "Circuit open", severity: "critical", holdMinutes: 0, watch: "circuit_open", metric: null },
  { name: "Server does not answer", severity: "critical", holdMinutes: 0, watch: "server_unhealthy", metric: null },
  { name: "Trail slow or down", severity: "critical", holdMinutes: 0, watch: "trail_failing", metric: null },
  { name: "Verification failed", severity: "critical", holdMinutes: 0, watch: "verification_failed", metric: null },
  { name: "Kill switch used", severity: "warning", holdMinutes: 0, watch: "kill_switch_used", metric: null },
];
