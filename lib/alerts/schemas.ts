import { z } from "zod";
import { cursor } from "@/lib/core/wire";

export const SEVERITIES = ["warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];
/** What a rule measures. `availability` is broken below its threshold, the others above it. */
export const METRICS = ["p95_ms", "error_rate", "availability"] as const;
export type Metric = (typeof METRICS)[number];
/** What is watched in every tenant, without a threshold. */
export const WATCHES = [
  "circuit_open",
  "server_unhealthy",
  "trail_failing",
  "verification_failed",
  "kill_switch_used",
] as const;
export type Watch = (typeof WATCHES)[number];
export const ALERT_STATES = ["pending", "firing", "resolved"] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** How many rules a tenant may have: each is judged every few seconds. */
export const MAX_RULES = 100;

const name = z.string().trim().min(1).max(80);
const severity = z.enum(SEVERITIES);
const threshold = z.number().min(0).max(3_600_000);
const server = z.string().min(1).max(31).nullable();
const tool = z.string().min(1).max(128).nullable();
const windowMinutes = z.number().int().min(1).max(60);
const minCalls = z.number().int().min(1).max(1_000_000);
const holdMinutes = z.number().int().min(0).max(60);

type Measured = {
  readonly metric?: Metric | null | undefined;
  readonly threshold?: number | null | undefined;
  readonly server?: string | null | undefined;
  readonly tool?: string | null | undefined;
};

/** What is wrong with a rule as a whole; shared by the form, the verbs and the OpenAPI document's reader. */
export function ruleIssues({ metric, threshold: at, server: of, tool: named }: Measured) {
  const issues: { readonly path: "threshold" | "tool"; readonly rule: string }[] = [];
  const isShare = metric === "error_rate" || metric === "availability";
  if (isShare && typeof at === "number" && at > 1) {
    issues.push({ path: "threshold", rule: "is a share between 0 and 1: 0.05 is 5 %" });
  }
  if (metric === "p95_ms" && typeof at === "number" && at < 1) {
    issues.push({ path: "threshold", rule: "is a time in milliseconds, at least 1" });
  }
  if (typeof named === "string" && (of === null || of === undefined)) {
    issues.push({ path: "tool", rule: "needs its server to be named too" });
  }
  return issues;
}

/** POST /api/v1/alert-rules. `server` null: each server on its own; `tool` null: all tools of a server together. */
export const createAlertRuleInput = z
  .object({
    name,
    severity: severity.default("warning"),
    enabled: z.boolean().default(true),
    metric: z.enum(METRICS),
    /** Milliseconds for `p95_ms`, a share 0..1 for the others. */
    threshold,
    server: server.default(null),
    tool: tool.default(null),
    windowMinutes: windowMinutes.default(5),
    /** With fewer calls in the window nothing is judged. */
    minCalls: minCalls.default(20),
    /** How long it must be broken before it fires; 0 fires at once. */
    holdMinutes: holdMinutes.default(0),
  })
  .check((context) => {
    for (const { path, rule } of ruleIssues(context.value)) {
      context.issues.push({ code: "custom", path: [path], message: rule, input: context.value });
    }
  });
export type CreateAlertRuleInput = z.input<typeof createAlertRuleInput>;

/** PATCH /api/v1/alert-rules/{id}: what is left out stays; stale_version when somebody else changed it since. */
export const changeAlertRuleInput = z.object({
  id: z.uuid(),
  baseVersion: z.number().int().min(1),
  name: name.optional(),
  severity: severity.optional(),
  enabled: z.boolean().optional(),
  metric: z.enum(METRICS).optional(),
  threshold: threshold.optional(),
  server: server.optional(),
  tool: tool.optional(),
  windowMinutes: windowMinutes.optional(),
  minCalls: minCalls.optional(),
  holdMinutes: holdMinutes.optional(),
});
export type ChangeAlertRuleInput = z.input<typeof changeAlertRuleInput>;

/** DELETE /api/v1/alert-rules/{id}; built-in rules refuse. */
export const deleteAlertRuleInput = z.object({ id: z.uuid() });

/** GET /api/v1/alerts?state=open|all&server=billing */
export const listAlertsInput = z.object({
  state: z.enum(["open", "all"]).default("open"),
  server: z.string().max(31).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor,
});
export type ListAlertsInput = z.input<typeof listAlertsInput>;

/** GET /api/v1/alerts/{id} */
export const alertRef = z.object({ id: z.uuid() });

/** POST /api/v1/alerts/{id}/acknowledge. Once acknowledged, or resolved, it takes further notes. */
export const acknowledgeAlertInput = z.object({ id: z.uuid(), note: z.string().trim().max(1_000).optional() });

/** One rule; a built-in one has `watch`, any other has `metric` and `threshold`. */
export type AlertRuleView = {
  readonly id: string;
  readonly name: string;
  readonly severity: Severity;
  readonly enabled: boolean;
  /** Cannot be deleted, only switched off or changed in severity and hold. */
  readonly builtIn: boolean;
  readonly watch: Watch | null;
  readonly metric: Metric | null;
  readonly threshold: number | null;
  readonly server: string | null;
  readonly tool: string | null;
  readonly windowMinutes: number;
  readonly minCalls: number;
  readonly holdMinutes: number;
  readonly version: number;
  readonly updatedAt: string;
};

/** One time that a rule was broken for one subject. */
export type AlertView = {
  readonly id: string;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly severity: Severity;
  readonly state: AlertState;
  readonly server: string | null;
  readonly tool: string | null;
  /** What a watch is about when it is no server, e.g. `agent triage-bot` for a kill switch. */
  readonly target: string | null;
  readonly metric: Metric | null;
  readonly watch: Watch | null;
  readonly threshold: number | null;
  /** Last measured, and the worst while it lasted. */
  readonly value: number | null;
  readonly worst: number | null;
  /** Calls in the window that the value is of. */
  readonly calls: number | null;
  /** Callers whose calls were slow, failed or held back in the window; the most seen while it lasted. */
  readonly callersHit: number | null;
  /** A full sentence. */
  readonly reason: string;
  readonly since: string;
  readonly firedAt: string | null;
  readonly resolvedAt: string | null;
  readonly acknowledged: { readonly at: string; readonly by: string; readonly note: string | null } | null;
};

export const ALERT_EVENTS = [
  "pending",
  "firing",
  "resolved",
  "acknowledged",
  "notice_delivered",
  "notice_failed",
  "note",
] as const;
export type AlertEvent = {
  readonly at: string;
  readonly what: (typeof ALERT_EVENTS)[number];
  readonly who: string | null;
  readonly text: string;
};
/** Oldest first. */
export type AlertDetailView = AlertView & { readonly history: readonly AlertEvent[] };
