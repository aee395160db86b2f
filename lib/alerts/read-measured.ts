import "server-only";
import type { Measured } from "@/lib/alerts/judge";
import { type MetricRule, type Subject, serverSubject } from "@/lib/alerts/rules";
import type { Metric } from "@/lib/alerts/schemas";
import type { RawTx } from "@/lib/db/sql";
import { type Figures, readCallersHit, readFigures } from "@/lib/metrics/figures";
import { floorTo, MINUTE_MS } from "@/lib/metrics/segments";

/** The figures of one subject of one rule. */
export type MeasuredSubject = { readonly subject: Subject; readonly measured: Measured };

/** Whole minutes up to and with the running one, like the light: what was called seconds ago counts already. */
export const windowOf = (windowMinutes: number, now: number) => ({
  from: floorTo(now, MINUTE_MS) - windowMinutes * MINUTE_MS,
  to: now,
});

/** A window is at most an hour, so minutes have all of it. */
const MINUTES_ONLY = { hours: 0, days: 0 };

export type Scope = { readonly tenantId: string; readonly now: number; readonly servers: ReadonlySet<string> };

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** What every rule's subjects did in its window: one question per window, not one per rule or server. */
export async function readMeasured(
  tx: RawTx,
  scope: Scope,
  rules: readonly MetricRule[],
): Promise<ReadonlyMap<MetricRule, readonly MeasuredSubject[]>> {
  const found = new Map<MetricRule, readonly MeasuredSubject[]>();
  const windows = groupBy(rules, ({ windowMinutes }) => windowMinutes);
  for (const [windowMinutes, together] of windows) {
    const perServer = together.filter(({ tool }) => tool === null);
    const perTool = together.filter(({ tool }) => tool !== null);
    const servers = await readLevel(tx, scope, "server", windowMinutes, perServer);
    for (const rule of perServer) found.set(rule, subjectsOf(rule, servers));
    const tools = await readLevel(tx, scope, "tool", windowMinutes, perTool);
    for (const rule of perTool) found.set(rule, subjectsOf(rule, tools));
  }
  return found;
}

async function readLevel(
  tx: RawTx,
  { tenantId, now, servers }: Scope,
  level: "server" | "tool",
  windowMinutes: number,
  rules: readonly MetricRule[],
): Promise<readonly Figures[]> {
  if (rules.length === 0) return [];
  const named = rules.map(({ server }) => server);
  const only = named.includes(null) ? null : named.filter((server) => server !== null);
  const figures = await readFigures(tx, MINUTES_ONLY, {
    ...{ tenantId, level, ...windowOf(windowMinutes, now) },
    by: level === "server" ? ["server"] : ["server", "tool"],
    ...(only === null ? {} : { servers: [...new Set(only)] }),
  });
  // Refused calls may name servers that do not exist.
  return figures.filter(({ server }) => servers.has(server));
}

function subjectsOf({ metric, server, tool }: MetricRule, figures: readonly Figures[]): readonly MeasuredSubject[] {
  return figures
    .filter((each) => (server === null || each.server === server) && (tool === null || each.tool === tool))
    .map((each) => ({ subject: serverSubject(each.server, tool), measured: measure(metric, each) }));
}

function measure(metric: Metric, figures: Figures): Measured {
  const { reached, reachedFailures, heldBack, unavailable, p95 } = figures;
  switch (metric) {
    case "p95_ms":
      // From twenty calls on, one slow call alone cannot lift P95.
      return { calls: reached, bad: reached, value: p95 };
    case "error_rate":
      return { calls: reached, bad: reachedFailures, value: reached === 0 ? null : reachedFailures / reached };
    case "availability": {
      const [wanted, missed] = [reached + heldBack, unavailable + heldBack];
      return { calls: wanted, bad: missed, value: wanted === 0 ? null : 1 - missed / wanted };
    }
  }
}

/** A server, over what time, and what is slow there. */
export type HitQuestion = { readonly server: string; readonly windowMinutes: number; readonly slowMs: number };

/** How many callers had a call there that failed, was held back or was slow. A tool is answered with those of its server. */
export async function countCallersHit(
  tx: RawTx,
  { tenantId, now }: Pick<Scope, "tenantId" | "now">,
  questions: readonly HitQuestion[],
): Promise<(question: HitQuestion) => number> {
  const keyOf = ({ windowMinutes, slowMs }: HitQuestion) => `${windowMinutes} ${slowMs}`;
  const counted = new Map<string, number>();
  for (const [key, alike] of groupBy(questions, keyOf)) {
    const [first] = alike;
    if (first === undefined) continue;
    const servers = [...new Set(alike.map(({ server }) => server))];
    const query = { tenantId, ...windowOf(first.windowMinutes, now), servers };
    const rows = await readCallersHit(tx, MINUTES_ONLY, query, first.slowMs);
    for (const { server, callersHit } of rows) counted.set(`${key} ${server}`, callersHit);
  }
  return (question) => counted.get(`${keyOf(question)} ${question.server}`) ?? 0;
}
