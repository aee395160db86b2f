import "server-only";
import type { Found } from "@/lib/alerts/find";
import type { Standing } from "@/lib/alerts/judge";
import { type Rule, type Subject, subjectName } from "@/lib/alerts/rules";
import type { AlertEvent, AlertState, Metric, Severity, Watch } from "@/lib/alerts/schemas";
import { enqueueNotices } from "@/lib/channels/enqueue-notices";
import { newId } from "@/lib/core/ids";
import type { TenantTx } from "@/lib/db/in-tenant";
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

export async function readRules(tx: TenantTx, tenantId: string): Promise<readonly Rule[]> {
  return (await tx.alertRule.findMany({ where: { tenantId }, orderBy: { id: "asc" } })).map(toRule);
}

function toRule(row: AlertRule): Rule {
  const { id, name, enabled, holdMinutes, server, tool, windowMinutes, minCalls } = row;
  const common = { id, name, enabled, holdMinutes, severity: row.severity as Severity };
  if (row.watch !== null) return { ...common, watch: row.watch as Watch, metric: null };
  const of = { server, tool, windowMinutes, minCalls };
  return { ...common, watch: null, metric: row.metric as Metric, threshold: row.threshold ?? 0, ...of };
}

/** In the order of their ids, so that two transactions never wait for each other's alerts. */
export async function readOpenAlerts(tx: TenantTx, tenantId: string, ruleId?: string): Promise<readonly OpenAlert[]> {
  const where = { tenantId, state: { not: "resolved" }, ...(ruleId === undefined ? {} : { ruleId }) };
  return (await tx.alert.findMany({ where, orderBy: { id: "asc" } })).map(toOpenAlert);
}

export function toOpenAlert(row: Alert): OpenAlert {
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

/** Begins an alert. That there is no other open one for the same rule and subject, the database sees to. */
export async function beginAlert(
  tx: TenantTx,
  tenantId: string,
  { rule, subject }: Found,
  standing: Standing,
  said: Said,
): Promise<void> {
  const { id: ruleId, name: ruleName, severity, watch, metric } = rule;
  const threshold = rule.watch === null ? rule.threshold : null;
  const { key, server, tool, target } = subject;
  const alert = { tenantId, id: newId(), ruleId, ruleName, severity, threshold };
  const row = { ...alert, subject: key, server, tool, target, metric, watch };
  await tx.alert.create({ data: { ...row, since: new Date(standing.since), ...toColumns(standing, said) } });
  await tellChange(tx, { ...alert, subject }, standing, said);
}

/** Stores how an alert stands after one more evaluation; a change of its state goes into its history and out as notices. */
export async function carryOn(tx: TenantTx, alert: OpenAlert, standing: Standing, said: Said): Promise<void> {
  const callersHit = Math.max(alert.callersHit ?? 0, said.callersHit ?? 0);
  const kept = {
    reason: said.reason,
    callersHit: alert.callersHit === null && said.callersHit === null ? null : callersHit,
  };
  const { tenantId, id } = alert;
  await tx.alert.update({ where: { tenantId_id: { tenantId, id } }, data: toColumns(standing, kept) });
  if (standing.state !== alert.standing.state) await tellChange(tx, alert, standing, kept);
}

/** Ends an alert that nobody looks after any more. */
export async function closeAlert(tx: TenantTx, alert: OpenAlert, now: number, reason: string): Promise<void> {
  const standing: Standing = { ...alert.standing, state: "resolved", resolvedAt: now };
  await carryOn(tx, alert, standing, { reason, callersHit: null });
}

function toColumns(standing: Standing, said: Said) {
  const { state, value, worst, calls, wellRounds, firedAt, resolvedAt, quietSince } = standing;
  return {
    ...{ state, value, worst, calls, wellRounds, ...said },
    ...{ firedAt: date(firedAt), resolvedAt: date(resolvedAt), quietSince: date(quietSince) },
  };
}

type Named = Pick<OpenAlert, "tenantId" | "id" | "ruleName" | "severity" | "threshold" | "subject">;

async function tellChange(tx: TenantTx, alert: Named, standing: Standing, { reason, callersHit }: Said): Promise<void> {
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

export async function tellChannels(tx: TenantTx, alert: Named, { event, at, text, value }: Told): Promise<void> {
  const { id: alertId, ruleName, severity, threshold, subject } = alert;
  const title = `${TITLES[event]}${ruleName} (${subjectName(subject)})`;
  const about = { server: subject.server, tool: subject.tool, value, threshold };
  await enqueueNotices(tx, { alertId, event, severity, title, text, ...about, at: at.toISOString() });
}

type NewEvent = Omit<AlertEvent, "at"> & { readonly at: Date };

export async function addEvent(tx: TenantTx, alert: Pick<Named, "tenantId" | "id">, event: NewEvent): Promise<void> {
  const { tenantId, id: alertId } = alert;
  await tx.alertEvent.create({ data: { tenantId, id: newId(), alertId, ...event } });
}
