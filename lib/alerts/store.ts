import "server-only";
import type { Found } from "@/lib/alerts/find";
import type { Standing } from "@/lib/alerts/judge";
import { type Rule, type Subject, subjectName } from "@/lib/alerts/rules";
import type { AlertEvent, AlertState, Metric, Severity, Watch } from "@/lib/alerts/schemas";
import { enqueueNotices } from "@/lib/channels/enqueue-notices";
import { newId } from "@/lib/core/ids";
import type { RawTx } from "@/lib/db/sql";
import type { Alert, AlertRule } from "@/lib/generated/prisma/client";

/** An open alert as the next evaluation needs it. */
export type OpenAlert = {
  readonly tenantId: string;
  readonly id: string;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly severity: Severity;
  readonly threshold: number | null;
  readonly subject: Subject;
  readonly standing: Standing;
  readonly reason: string;
  readonly callersHit: number | null;
};

/** What is said of an alert besides how it stands. */
export type Said = { readonly reason: string; readonly callersHit: number | null };

type RuleRow = Omit<AlertRule, "tenantId" | "version" | "updatedAt">;
const RULES = `
  select id, name, severity, enabled, watch, metric, threshold, server, tool, window_minutes as "windowMinutes",
      min_calls as "minCalls", hold_minutes as "holdMinutes"
    from alert_rules where tenant_id = $1::uuid order by id`;

export async function readRules(tx: RawTx, tenantId: string): Promise<readonly Rule[]> {
  return (await tx.$queryRawUnsafe<RuleRow[]>(RULES, tenantId)).map(toRule);
}

function toRule(row: RuleRow): Rule {
  const { id, name, enabled, holdMinutes, server, tool, windowMinutes, minCalls } = row;
  const common = { id, name, enabled, holdMinutes, severity: row.severity as Severity };
  if (row.watch !== null) return { ...common, watch: row.watch as Watch, metric: null };
  const of = { server, tool, windowMinutes, minCalls };
  return { ...common, watch: null, metric: row.metric as Metric, threshold: row.threshold ?? 0, ...of };
}

type AlertRow = Omit<Alert, "metric" | "watch" | "acknowledgedAt" | "acknowledgedBy" | "acknowledgedNote">;
const OPEN_ALERTS = `
  select tenant_id as "tenantId", id, rule_id as "ruleId", rule_name as "ruleName", severity, state, subject, server, tool,
      target, threshold, value, worst, calls, callers_hit as "callersHit", reason, since, fired_at as "firedAt",
      resolved_at as "resolvedAt", well_rounds as "wellRounds", quiet_since as "quietSince"
    from alerts where tenant_id = $1::uuid and state <> 'resolved' and ($2::uuid is null or rule_id = $2::uuid) order by id`;

/** In the order of their ids, so that two transactions never wait for each other's alerts. */
export async function readOpenAlerts(tx: RawTx, tenantId: string, ruleId?: string): Promise<readonly OpenAlert[]> {
  return (await tx.$queryRawUnsafe<AlertRow[]>(OPEN_ALERTS, tenantId, ruleId ?? null)).map(toOpenAlert);
}

export function toOpenAlert(row: AlertRow): OpenAlert {
  const { tenantId, id, ruleId, ruleName, threshold, reason, callersHit } = row;
  const { subject: key, server, tool, target, value, worst, calls, wellRounds } = row;
  return {
    ...{ tenantId, id, ruleId, ruleName, threshold, reason, callersHit },
    severity: row.severity as Severity,
    subject: { key, server, tool, target },
    standing: {
      ...{ state: row.state as AlertState, since: row.since.getTime(), value, worst, calls, wellRounds },
      ...{ firedAt: epoch(row.firedAt), resolvedAt: epoch(row.resolvedAt), quietSince: epoch(row.quietSince) },
    },
  };
}

const epoch = (at: Date | null): number | null => at?.getTime() ?? null;
const date = (at: number | null): Date | null => (at === null ? null : new Date(at));

const BEGIN = `
  insert into alerts
    (tenant_id, id, state, value, worst, calls, well_rounds, reason, callers_hit, fired_at, resolved_at, quiet_since,
     rule_id, rule_name, severity, threshold, subject, server, tool, target, metric, watch, since)
  values ($1::uuid, $2::uuid, $3, $4::float8, $5::float8, $6::int, $7::int, $8, $9::int, $10::timestamptz, $11::timestamptz,
     $12::timestamptz, $13::uuid, $14, $15, $16::float8, $17, $18, $19, $20, $21, $22, $23::timestamptz)`;
const CARRY_ON = `
  update alerts set state = $3, value = $4::float8, worst = $5::float8, calls = $6::int, well_rounds = $7::int, reason = $8,
      callers_hit = $9::int, fired_at = $10::timestamptz, resolved_at = $11::timestamptz, quiet_since = $12::timestamptz
   where tenant_id = $1::uuid and id = $2::uuid`;
const ADD_EVENT = `
  insert into alert_events (tenant_id, id, alert_id, at, what, who, text)
  values ($1::uuid, $2::uuid, $3::uuid, $4::timestamptz, $5, $6, $7)`;

/** Begins an alert. That there is no other open one for the same rule and subject, the database sees to. */
export async function beginAlert(
  tx: RawTx,
  tenantId: string,
  { rule, subject }: Found,
  standing: Standing,
  said: Said,
): Promise<void> {
  const { id: ruleId, name: ruleName, severity, watch, metric } = rule;
  const threshold = rule.watch === null ? rule.threshold : null;
  const { key, server, tool, target } = subject;
  const alert = { tenantId, id: newId(), ruleId, ruleName, severity, threshold };
  const named = [ruleId, ruleName, severity, threshold, key, server, tool, target, metric, watch];
  await tx.$queryRawUnsafe(BEGIN, tenantId, alert.id, ...toColumns(standing, said), ...named, new Date(standing.since));
  await tellChange(tx, { ...alert, subject }, standing, said);
}

/** Stores how an alert stands after one more evaluation; a change of its state goes into its history and out as notices. */
export async function carryOn(tx: RawTx, alert: OpenAlert, standing: Standing, said: Said): Promise<void> {
  const callersHit = Math.max(alert.callersHit ?? 0, said.callersHit ?? 0);
  const kept = {
    reason: said.reason,
    callersHit: alert.callersHit === null && said.callersHit === null ? null : callersHit,
  };
  const { tenantId, id } = alert;
  await tx.$queryRawUnsafe(CARRY_ON, tenantId, id, ...toColumns(standing, kept));
  if (standing.state !== alert.standing.state) await tellChange(tx, alert, standing, kept);
}

/** Ends an alert that nobody looks after any more. */
export async function closeAlert(tx: RawTx, alert: OpenAlert, now: number, reason: string): Promise<void> {
  const standing: Standing = { ...alert.standing, state: "resolved", resolvedAt: now };
  await carryOn(tx, alert, standing, { reason, callersHit: null });
}

/** What changes with an evaluation, in the order in which `BEGIN` and `CARRY_ON` have it, from $3 on. */
function toColumns(standing: Standing, { reason, callersHit }: Said): readonly unknown[] {
  const { state, value, worst, calls, wellRounds, firedAt, resolvedAt, quietSince } = standing;
  const times = [firedAt, resolvedAt, quietSince].map(date);
  return [state, value, worst, calls, wellRounds, reason, callersHit, ...times];
}

type Named = Pick<OpenAlert, "tenantId" | "id" | "ruleName" | "severity" | "threshold" | "subject">;

async function tellChange(tx: RawTx, alert: Named, standing: Standing, { reason, callersHit }: Said): Promise<void> {
  const { state, firedAt, resolvedAt, since } = standing;
  const at = new Date(resolvedAt ?? firedAt ?? since);
  const hasFired = firedAt !== null;
  const text = state === "resolved" && !hasFired ? `It was over before it fired. ${reason}` : reason;
  await addEvent(tx, alert, { at, what: state, who: null, text });
  if (!hasFired || state === "pending") return;
  const hit = state === "firing" && callersHit !== null && callersHit > 0 ? ` Callers hit so far: ${callersHit}.` : "";
  await tellChannels(tx, alert, { event: state, at, text: `${reason}${hit}`, value: standing.value });
}

type Told = {
  readonly event: "firing" | "resolved" | "acknowledged";
  readonly at: Date;
  readonly text: string;
  readonly value: number | null;
};
const TITLES: Readonly<Record<Told["event"], string>> = {
  firing: "",
  resolved: "Resolved: ",
  acknowledged: "Acknowledged: ",
};

export async function tellChannels(tx: RawTx, alert: Named, { event, at, text, value }: Told): Promise<void> {
  const { id: alertId, ruleName, severity, threshold, subject } = alert;
  const title = `${TITLES[event]}${ruleName} (${subjectName(subject)})`;
  const about = { server: subject.server, tool: subject.tool, value, threshold };
  await enqueueNotices(tx, { alertId, event, severity, title, text, ...about, at: at.toISOString() });
}

type NewEvent = Omit<AlertEvent, "at"> & { readonly at: Date };

export async function addEvent(tx: RawTx, alert: Pick<Named, "tenantId" | "id">, event: NewEvent): Promise<void> {
  const { at, what, who, text } = event;
  await tx.$queryRawUnsafe(ADD_EVENT, alert.tenantId, newId(), alert.id, at, what, who, text);
}
