import "server-only";
import { requireRule } from "@/lib/alerts/internal";
import {
  type AlertRuleView,
  changeAlertRuleInput,
  createAlertRuleInput,
  deleteAlertRuleInput,
  MAX_RULES,
  ruleIssues,
} from "@/lib/alerts/schemas";
import { closeAlert, readOpenAlerts } from "@/lib/alerts/store";
import { holdTurn } from "@/lib/alerts/turns";
import { toRuleView } from "@/lib/alerts/views";
import { AppError, type FieldIssue } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";

/** Watches figures of all servers, one server or one tool against a threshold of the tenant's own. */
export const createAlertRule = defineWrite({
  permission: "alerts:write",
  input: createAlertRuleInput,
  status: 201,
  run: async (tx, { tenantId }, input) => {
    await holdTurn(tx, tenantId);
    if ((await tx.alertRule.count({ where: { tenantId } })) >= MAX_RULES) {
      throw new AppError(
        "conflict",
        `A tenant has at most ${MAX_RULES} rules. Delete one that is not needed any more.`,
      );
    }
    await requireScope(tx, tenantId, input);
    const view = toRuleView(await tx.alertRule.create({ data: { ...input, tenantId, id: newId() } }));
    return { result: view, audit: { action: "alert_rule.created", target: view.name, after: view } };
  },
});

/** Changes a rule for the next evaluation on. Switched off, its open alerts are closed with it. */
export const changeAlertRule = defineWrite({
  permission: "alerts:write",
  input: changeAlertRuleInput,
  run: async (tx, { tenantId }, { id, baseVersion, ...fields }) => {
    await holdTurn(tx, tenantId);
    const before = toRuleView(await requireRule(tx, tenantId, id));
    if (before.version !== baseVersion) {
      throw new AppError("stale_version", `The rule ${before.name} was changed by somebody else meanwhile.`);
    }
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    if (before.builtIn) requireBuiltInFields(given);
    else await requireSound(tx, tenantId, { ...before, ...given });
    const row = await tx.alertRule.update({
      where: { tenantId_id: { tenantId, id } },
      data: { ...given, version: { increment: 1 }, updatedAt: new Date() },
    });
    const view = toRuleView(row);
    if (!view.enabled) await closeAlertsOf(tx, tenantId, id, "Closed because its rule was switched off.");
    return { result: view, audit: { action: "alert_rule.changed", target: view.name, before, after: view } };
  },
});

/** Removes a rule of the tenant's own; alerts it has raised stay in the history, and open ones are closed. */
export const deleteAlertRule = defineWrite({
  permission: "alerts:write",
  input: deleteAlertRuleInput,
  status: 204,
  run: async (tx, { tenantId }, { id }) => {
    await holdTurn(tx, tenantId);
    const before = toRuleView(await requireRule(tx, tenantId, id));
    if (before.builtIn) {
      throw new AppError("conflict", `${before.name} is a built-in rule and stays. It can be switched off.`);
    }
    await closeAlertsOf(tx, tenantId, id, "Closed because its rule was deleted.");
    await tx.alertRule.delete({ where: { tenantId_id: { tenantId, id } } });
    return { result: null, audit: { action: "alert_rule.deleted", target: before.name, before } };
  },
});

async function closeAlertsOf(tx: TenantTx, tenantId: string, ruleId: string, reason: string): Promise<void> {
  for (const alert of await readOpenAlerts(tx, tenantId, ruleId)) await closeAlert(tx, alert, Date.now(), reason);
}

const BUILT_IN_FIELDS: ReadonlySet<string> = new Set(["enabled", "severity", "holdMinutes"]);

function requireBuiltInFields(given: Readonly<Record<string, unknown>>): void {
  const issues = Object.keys(given)
    .filter((field) => !BUILT_IN_FIELDS.has(field))
    .map((path) => ({ path, rule: "cannot be changed on a built-in rule" }));
  refuse(issues);
}

async function requireSound(tx: TenantTx, tenantId: string, rule: AlertRuleView): Promise<void> {
  refuse(ruleIssues(rule));
  await requireScope(tx, tenantId, rule);
}

type Scope = Pick<AlertRuleView, "server" | "tool">;

/** What is named must be there: a rule with a mistyped server would look at nothing and seem content. */
async function requireScope(tx: TenantTx, tenantId: string, { server: slug, tool: name }: Scope): Promise<void> {
  if (slug === null) return;
  if ((await tx.server.count({ where: { tenantId, slug } })) === 0) {
    refuse([{ path: "server", rule: `must be a server of this tenant, ${slug} is none` }]);
  }
  if (name === null || (await tx.serverTool.count({ where: { tenantId, name, server: { slug } } })) > 0) return;
  refuse([{ path: "tool", rule: `must be a tool of ${slug}, ${name} is none` }]);
}

function refuse(issues: readonly FieldIssue[]): void {
  if (issues.length === 0) return;
  const text = issues.map(({ path, rule }) => `${path}: ${rule}`).join("; ");
  throw new AppError("invalid_input", `The rule is not valid: ${text}.`, { issues });
}
