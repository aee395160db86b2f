import "server-only";
import { describeFinding, type Found, findingsFor } from "@/lib/alerts/find";
import { judge, type Standing } from "@/lib/alerts/judge";
import { countCallersHit, type HitQuestion } from "@/lib/alerts/read-measured";
import { patienceOf, type Rule } from "@/lib/alerts/rules";
import { beginAlert, carryOn, closeAlert, type OpenAlert, readOpenAlerts, readRules } from "@/lib/alerts/store";
import { takeTurn } from "@/lib/alerts/turns";
import { type RawTx, tenantRaw } from "@/lib/db/sql";
import { SLOW_MS } from "@/lib/metrics/figures";

/** Alerts that begin in one evaluation; more of them begin with the next. */
const MAX_NEW = 200;

/**
 * Judges every rule of a tenant once, if it is its turn; false where it is not. What is found, the alerts it changes, their
 * history and their notices are one transaction: a process that dies halfway has done nothing, and the next one does it.
 */
export async function judgeTenant(tenantId: string, now = Date.now()): Promise<boolean> {
  return tenantRaw(tenantId, async (tx) => {
    if (!(await takeTurn(tx, tenantId, now))) return false;
    if (await isQuiet(tx, tenantId, now)) return true;
    const rules = await readRules(tx, tenantId);
    const open = await readOpenAlerts(tx, tenantId);
    const found = await findingsFor(tx, { tenantId, now, rules, open });
    await settle(tx, { tenantId, now, rules, open, found });
    return true;
  });
}

/** Longer than any window, and than what a watch still tells of afterwards. */
const LATELY_MS = 62 * 60_000;

const BUSY = `
  select exists (select from alerts where tenant_id = $1::uuid and state <> 'resolved')
      or exists (select from call_minutes where tenant_id = $1::uuid and level = 0 and at > $2::timestamptz)
      or exists (select from server_health where tenant_id = $1::uuid and status = 'unavailable')
      or exists (select from servers where tenant_id = $1::uuid and circuit_override = 'forced-open')
      or exists (select from kill_switches where tenant_id = $1::uuid and (lifted_at is null or lifted_at > $2::timestamptz))
      or exists (select from alert_signals where tenant_id = $1::uuid and seen_at > $2::timestamptz)
      or exists (select from audit_verdicts where tenant_id = $1::uuid and broken_since is not null) as busy`;

/** True where nothing was called lately, nothing is wrong and nothing was: most tenants of a large installation, at night. */
async function isQuiet(tx: RawTx, tenantId: string, now: number): Promise<boolean> {
  const lately = new Date(now - LATELY_MS);
  const rows = await tx.$queryRawUnsafe<{ busy: boolean }[]>(BUSY, tenantId, lately);
  return rows[0]?.busy !== true;
}

type Round = {
  readonly tenantId: string;
  readonly now: number;
  readonly rules: readonly Rule[];
  readonly open: readonly OpenAlert[];
  readonly found: readonly Found[];
};

async function settle(tx: RawTx, { tenantId, now, rules, open, found }: Round): Promise<void> {
  const hit = await countCallers(tx, { tenantId, now }, found);
  const byKey = new Map(found.map((each) => [keyOf(each.rule.id, each.subject.key), each]));
  for (const alert of open) {
    const rule = rules.find(({ id }) => id === alert.ruleId);
    const each = byKey.get(keyOf(alert.ruleId, alert.subject.key));
    byKey.delete(keyOf(alert.ruleId, alert.subject.key));
    if (rule === undefined || each === undefined || !rule.enabled) {
      await closeAlert(tx, alert, now, whyDropped(rule));
      continue;
    }
    const standing = judge(alert.standing, each.finding, now, patienceOf(rule));
    if (standing !== null)
      await carryOn(tx, alert, standing, { reason: describeFinding(each, standing), callersHit: hit(each) });
  }
  await beginAlerts(tx, { tenantId, now }, [...byKey.values()], hit);
}

const keyOf = (ruleId: string, subject: string): string => `${ruleId} ${subject}`;

function whyDropped(rule: Rule | undefined): string {
  if (rule === undefined) return "Closed because its rule is no more.";
  if (!rule.enabled) return "Closed because its rule was switched off.";
  return "Closed because its rule or its server was changed: the rule no longer looks at it.";
}

type Hit = (found: Found) => number | null;

async function beginAlerts(
  tx: RawTx,
  at: Pick<Round, "tenantId" | "now">,
  found: readonly Found[],
  hit: Hit,
): Promise<void> {
  const begun: (readonly [Found, Standing])[] = [];
  for (const each of found) {
    const standing = judge(null, each.finding, at.now, patienceOf(each.rule));
    if (standing !== null) begun.push([each, standing]);
  }
  for (const [each, standing] of begun.slice(0, MAX_NEW)) {
    await beginAlert(tx, at.tenantId, each, standing, {
      reason: describeFinding(each, standing),
      callersHit: hit(each),
    });
  }
}

/** Over how long the callers of what a watch finds are counted. */
const WATCH_MINUTES = 5;

/** For whom it matters, only where something is wrong. */
async function countCallers(tx: RawTx, at: Pick<Round, "tenantId" | "now">, found: readonly Found[]): Promise<Hit> {
  const questionOf = ({ rule, subject, finding }: Found): HitQuestion | null => {
    if (finding.kind !== "broken" || subject.server === null) return null;
    if (rule.watch !== null) return { server: subject.server, windowMinutes: WATCH_MINUTES, slowMs: SLOW_MS };
    const slowMs = rule.metric === "p95_ms" ? rule.threshold : SLOW_MS;
    return { server: subject.server, windowMinutes: rule.windowMinutes, slowMs };
  };
  const questions = found.map(questionOf).filter((question) => question !== null);
  const answer = questions.length === 0 ? () => 0 : await countCallersHit(tx, at, questions);
  return (each) => {
    const question = questionOf(each);
    return question === null ? null : answer(question);
  };
}
