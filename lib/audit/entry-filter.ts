import type { z } from "zod";
import { type exportEntriesInput, OUTCOMES, PHASES } from "@/lib/audit/schemas";
import { AppError } from "@/lib/core/errors";
import { isUuid } from "@/lib/core/ids";

export type EntryFilter = z.output<typeof exportEntriesInput>;

/** Parameters of one statement: values go in, placeholders come out; no text of a caller ever becomes SQL. */
export class SqlValues {
  readonly values: string[] = [];

  add(value: string, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The span a filter asks for, relative ranges resolved at `now` (epoch ms). */
export function spanOf(filter: EntryFilter, now: number): { readonly from: string | null; readonly to: string | null } {
  const to = filter.to ?? null;
  if (filter.from !== undefined) return { from: filter.from, to };
  if (filter.range === undefined || filter.range === "all") return { from: null, to };
  const unit = filter.range.slice(-1) as keyof typeof UNIT_MS;
  return { from: new Date(now - Number(filter.range.slice(0, -1)) * UNIT_MS[unit]).toISOString(), to };
}

/** The conditions on the entry `e` that a filter means, without tenant and page. */
export function toConditions(filter: EntryFilter, sql: SqlValues, now: number): string[] {
  const { from, to } = spanOf(filter, now);
  const conditions: string[] = [];
  if (from !== null) conditions.push(`e.ts >= ${sql.add(from, "timestamptz")}`);
  if (to !== null) conditions.push(`e.ts < ${sql.add(to, "timestamptz")}`);
  if (filter.server) conditions.push(`e.server = ${sql.add(filter.server, "text")}`);
  if (filter.tool) conditions.push(toolCondition(filter.tool, sql));
  if (filter.caller) conditions.push(callerCondition(filter.caller, sql));
  if (filter.outcome) conditions.push(oneOf("outcome", filter.outcome, OUTCOMES, sql));
  if (filter.phase) conditions.push(oneOf("phase", filter.phase, PHASES, sql));
  if (filter.decision) conditions.push(`e.decision = ${sql.add(filter.decision, "text")}`);
  if (filter.trace) conditions.push(traceCondition(filter.trace, sql));
  if (filter.q?.trim()) conditions.push(...textConditions(filter.q.trim(), sql));
  return conditions;
}

/**
 * Leaves out intents whose call has ended: the outcome says it all. An open call stays in sight. Clocks are set back and
 * differ between processes, so an outcome may be older than its intent; the bound spares all earlier months the look.
 * A scalar subquery, because the planner would hash the whole table for `not exists` under a limit.
 */
export const HIDE_ENDED_INTENTS = `(e.phase <> 'intent' or (
  select o.seq from audit_entries o
  where o.tenant_id = e.tenant_id and o.call_id = e.call_id and o.phase = 'outcome' and o.ts >= e.ts - interval '1 day' limit 1) is null)`;

function toolCondition(tool: string, sql: SqlValues): string {
  const cut = tool.indexOf("__");
  const own = `e.tool = ${sql.add(tool, "text")}`;
  if (cut <= 0) return own;
  const server = sql.add(tool.slice(0, cut), "text");
  return `(${own} or (e.server = ${server} and e.tool = ${sql.add(tool.slice(cut + 2), "text")}))`;
}

function callerCondition(caller: string, sql: SqlValues): string {
  const name = caller.trim();
  const id = sql.add(name.toLowerCase(), "text");
  // Written small by the database on both sides: it and we do not agree on every letter.
  return isUuid(name.toLowerCase())
    ? `e.actor_id = ${id}`
    : `(e.actor_id = ${id} or lower(e.actor_name) = lower(${sql.add(name, "text")}))`;
}

function oneOf(field: "outcome" | "phase", text: string, allowed: readonly string[], sql: SqlValues): string {
  const values = text.split(",").filter((value) => value !== "");
  const unknown = values.find((value) => !allowed.includes(value));
  if (unknown !== undefined || values.length === 0) {
    const issues = [{ path: field, rule: `must be one or more of ${allowed.join(", ")}` }];
    throw new AppError("invalid_input", `The ${field} is not valid: ${issues[0]?.rule}.`, { issues });
  }
  return `e.${field} = any(${sql.add(`{${values.join(",")}}`, "text[]")})`;
}

function textConditions(text: string, sql: SqlValues): string[] {
  const lower = text.toLowerCase();
  if (isUuid(lower)) {
    const id = sql.add(lower, "uuid");
    const word = sql.add(lower, "text");
    const said = wordCondition(lower, sql);
    return [`(e.event_id = ${id} or e.call_id = ${id} or e.actor_id = ${word} or e.request_id = ${word} or ${said})`];
  }
  return lower
    .split(/\s+/)
    .slice(0, 12)
    .map((word) => wordCondition(word, sql));
}

const TRACE_WORD = /^trace:([0-9a-f]{32})$/;

function wordCondition(word: string, sql: SqlValues): string {
  const trace = TRACE_WORD.exec(word)?.[1];
  if (trace !== undefined) return traceCondition(trace, sql);
  return `e.search_text like ${sql.add(`%${word.replace(/[\\%_]/g, "\\$&")}%`, "text")}`;
}

const traceCondition = (trace: string, sql: SqlValues): string => `e.trace_id = ${sql.add(trace, "text")}`;

/** A filter as the export states it: only what was asked, as text. */
export function statedFilter(filter: EntryFilter): Readonly<Record<string, string>> {
  const asked = Object.entries(filter).filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(asked.map(([name, value]) => [name, String(value)]));
}
