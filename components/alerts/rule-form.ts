import { limitFrom, limitText } from "@/components/alerts/rule-words";
import { type AlertRuleView, type CreateAlertRuleInput, createAlertRuleInput, type Metric } from "@/lib/alerts/schemas";
import { plainRules } from "@/lib/core/plain-rules";

/** What one types; numbers are text until they are read. */
export type RuleValues = {
  readonly name: string;
  readonly severity: AlertRuleView["severity"];
  readonly metric: Metric;
  readonly threshold: string;
  readonly server: string;
  readonly tool: string;
  readonly windowMinutes: string;
  readonly minCalls: string;
  readonly holdMinutes: string;
};
type RuleField = keyof RuleValues;

const USUAL: Readonly<Record<Metric, string>> = { p95_ms: "5000", error_rate: "5", availability: "99" };
export const usualLimit = (metric: Metric): string => USUAL[metric];

export function valuesOf(rule: AlertRuleView | null): RuleValues {
  const metric = rule?.metric ?? "p95_ms";
  return {
    name: rule?.name ?? "",
    severity: rule?.severity ?? "warning",
    metric,
    threshold: rule?.threshold == null ? usualLimit(metric) : limitText(metric, rule.threshold),
    ...{ server: rule?.server ?? "", tool: rule?.tool ?? "" },
    windowMinutes: String(rule?.windowMinutes ?? 5),
    minCalls: String(rule?.minCalls ?? 20),
    holdMinutes: String(rule?.holdMinutes ?? 0),
  };
}

const whole = (text: string): number => (/^\d{1,9}$/.test(text.trim()) ? Number(text.trim()) : Number.NaN);

/** As the wire wants it; what could not be read is NaN and will be refused. */
export function inputOf({ server, tool, ...values }: RuleValues): CreateAlertRuleInput {
  return {
    ...{ name: values.name, severity: values.severity, metric: values.metric },
    threshold: limitFrom(values.metric, values.threshold),
    ...{ server: server === "" ? null : server, tool: tool.trim() === "" ? null : tool.trim() },
    windowMinutes: whole(values.windowMinutes),
    minCalls: whole(values.minCalls),
    holdMinutes: whole(values.holdMinutes),
  };
}

/** The rules in the form's own units; other fields say it as the schema does. */
const WORDS: Partial<Record<RuleField, (values: RuleValues) => string>> = {
  name: () => "must have 1 to 80 characters",
  threshold: ({ metric }) =>
    metric === "p95_ms" ? "must be milliseconds, from 1 to 3600000" : "must be a percentage, from 0 to 100",
  windowMinutes: () => "must be whole minutes, from 1 to 60",
  minCalls: () => "must be a whole number, from 1 to 1000000",
  holdMinutes: () => "must be whole minutes, from 0 to 60",
};

/** What is wrong with what was typed, by field; empty when nothing is. */
export function issuesOf(values: RuleValues): Partial<Record<RuleField, string>> {
  const found: Partial<Record<RuleField, string>> = {};
  for (const { path, message } of createAlertRuleInput.safeParse(inputOf(values), plainRules).error?.issues ?? []) {
    const field = path[0];
    if (typeof field === "string" && isField(field, values)) found[field] ??= WORDS[field]?.(values) ?? message;
  }
  return found;
}

const isField = (name: string, values: RuleValues): name is RuleField => name in values;
