import type {
  AlertDetailView,
  AlertEvent,
  AlertRuleView,
  AlertState,
  AlertView,
  Metric,
  Severity,
  Watch,
} from "@/lib/alerts/schemas";
import type { Alert, AlertRule } from "@/lib/generated/prisma/client";

const isoOrNull = (at: Date | null): string | null => at?.toISOString() ?? null;

export const toRuleView = (row: AlertRule): AlertRuleView => {
  const { id, name, enabled, threshold, server, tool, windowMinutes, minCalls, holdMinutes, version } = row;
  return {
    ...{ id, name, severity: row.severity as Severity, enabled, builtIn: row.watch !== null },
    ...{ watch: row.watch as Watch | null, metric: row.metric as Metric | null, threshold, server, tool },
    ...{ windowMinutes, minCalls, holdMinutes, version, updatedAt: row.updatedAt.toISOString() },
  };
};

export const toAlertView = (row: Alert): AlertView => {
  const { id, ruleId, ruleName, server, tool, target, threshold, value, worst, calls, callersHit, reason } = row;
  const { acknowledgedAt, acknowledgedBy, acknowledgedNote: note } = row;
  return {
    ...{ id, ruleId, ruleName, severity: row.severity as Severity, state: row.state as AlertState },
    ...{ server, tool, target, metric: row.metric as Metric | null, watch: row.watch as Watch | null },
    ...{ threshold, value, worst, calls, callersHit, reason, since: row.since.toISOString() },
    ...{ firedAt: isoOrNull(row.firedAt), resolvedAt: isoOrNull(row.resolvedAt) },
    acknowledged:
      acknowledgedAt === null || acknowledgedBy === null
        ? null
        : { at: acknowledgedAt.toISOString(), by: acknowledgedBy, note },
  };
};

export const toDetailView = (row: Alert, history: readonly AlertEvent[]): AlertDetailView => ({
  ...toAlertView(row),
  history,
});
