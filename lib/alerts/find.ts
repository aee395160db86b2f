import "server-only";
import { type Finding, findingOf, type Standing } from "@/lib/alerts/judge";
import { type MeasuredSubject, readMeasured } from "@/lib/alerts/read-measured";
import { readWatched, type WatchedFact } from "@/lib/alerts/read-watched";
import type { MetricRule, Rule, Subject, WatchRule } from "@/lib/alerts/rules";
import { metricReason, watchOver } from "@/lib/alerts/sentences";
import type { RawTx } from "@/lib/db/sql";

/** What one evaluation says of one subject of one rule. */
export type Found = {
  readonly rule: Rule;
  readonly subject: Subject;
  readonly finding: Finding;
  /** What a watch says of it. */
  readonly reason?: string;
};

export type Search = {
  readonly tenantId: string;
  readonly now: number;
  readonly rules: readonly Rule[];
  /** What is open already. */
  readonly open: readonly { readonly ruleId: string; readonly subject: Subject }[];
};

const ENABLED = "select slug from servers where tenant_id = $1::uuid and status = 'enabled'";

/** What every enabled rule says of every subject that it looks at; open alerts that it still looks at are never left out. */
export async function findingsFor(tx: RawTx, { tenantId, now, rules, open }: Search): Promise<readonly Found[]> {
  const enabled = rules.filter((rule) => rule.enabled);
  const metricRules = enabled.filter((rule): rule is MetricRule => rule.watch === null);
  const watchRules = enabled.filter((rule): rule is WatchRule => rule.watch !== null);
  const rows = await tx.$queryRawUnsafe<{ slug: string }[]>(ENABLED, tenantId);
  const servers = new Set(rows.map(({ slug }) => slug));
  const measured = await readMeasured(tx, { tenantId, now, servers }, metricRules);
  const facts = await readWatched(
    tx,
    tenantId,
    now,
    watchRules.map(({ watch }) => watch),
  );
  const openOf = (rule: Rule) => open.filter(({ ruleId }) => ruleId === rule.id).map(({ subject }) => subject);
  return [
    ...metricRules.flatMap((rule) =>
      ofMetric(rule, measured.get(rule) ?? [], openOf(rule).filter(isLookedAt(rule, servers))),
    ),
    ...watchRules.flatMap((rule) =>
      ofWatch(rule, facts.get(rule.watch) ?? [], openOf(rule).filter(isWatched(rule, servers))),
    ),
  ];
}

const isLookedAt =
  ({ server, tool }: MetricRule, servers: ReadonlySet<string>) =>
  (subject: Subject): boolean =>
    subject.server !== null &&
    servers.has(subject.server) &&
    (server === null || server === subject.server) &&
    tool === subject.tool;

/** A server that is switched off neither answers nor refuses calls. */
const isWatched =
  ({ watch }: WatchRule, servers: ReadonlySet<string>) =>
  ({ server }: Subject): boolean =>
    (watch !== "circuit_open" && watch !== "server_unhealthy") || (server !== null && servers.has(server));

const SILENT = { calls: 0, bad: 0, value: null };

function ofMetric(rule: MetricRule, measured: readonly MeasuredSubject[], open: readonly Subject[]): readonly Found[] {
  const keys = new Set(measured.map(({ subject }) => subject.key));
  const silent = open.filter(({ key }) => !keys.has(key)).map((subject) => ({ subject, measured: SILENT }));
  return [...measured, ...silent].map((each) => ({
    ...{ rule, subject: each.subject, finding: findingOf(rule, each.measured) },
  }));
}

function ofWatch(rule: WatchRule, facts: readonly WatchedFact[], open: readonly Subject[]): readonly Found[] {
  const keys = new Set(facts.map(({ subject }) => subject.key));
  const well = open
    .filter(({ key }) => !keys.has(key))
    .map((subject): Found => ({ rule, subject, finding: { kind: "well" } }));
  const broken = facts.map(
    ({ subject, since, reason }): Found => ({ rule, subject, finding: { kind: "broken", since }, reason }),
  );
  return [...broken, ...well];
}

/** The sentence that an alert stands with after this. */
export function describeFinding({ rule, subject, finding, reason }: Found, standing: Standing): string {
  if (rule.watch === null) return metricReason(rule, subject, finding, standing);
  return reason ?? watchOver(rule.watch, subject, standing);
}
