import "server-only";
import { FIRST_RULES, type MetricRule } from "@/lib/alerts/rules";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { platformSql, type RawTx, tenantRaw } from "@/lib/db/sql";

/** How often each tenant is judged, whatever the number of processes. */
export const TURN_MS = 10_000;
/** Tenants that one process judges in one go; the others come with its next look, the longest waiting first. */
export const MAX_DUE = 64;

const DUE = `select t.id from tenants t left join alert_turns a on a.tenant_id = t.id
  where t.status = 'active' and t.id <> $1::uuid and (a.next_at is null or a.next_at <= $2)
  order by a.next_at nulls first limit ${MAX_DUE}`;

/** Tenants whose turn it is. Others may see the same ones: `takeTurn` decides. */
export async function dueTenants(now: number): Promise<readonly string[]> {
  const values = [PLATFORM_TENANT_ID, new Date(now)];
  const { rows } = await platformSql((client) => client.query<{ id: string }>(DUE, values));
  return rows.map(({ id }) => id);
}

const TAKE = `
  with mine as (
    select tenant_id from alert_turns where tenant_id = $1::uuid and next_at <= $2::timestamptz for update skip locked
  )
  update alert_turns t set next_at = $3::timestamptz from mine where t.tenant_id = mine.tenant_id returning 1`;

/** Takes the turn by moving it on, until the end of the transaction nobody else has it; false where it is not ours. */
export async function takeTurn(tx: RawTx, tenantId: string, now: number): Promise<boolean> {
  const next = new Date(now + TURN_MS);
  const taken = await tx.$queryRawUnsafe<unknown[]>(TAKE, tenantId, new Date(now), next);
  return taken.length === 1 || (await ensureRules(tx, tenantId, next));
}

/** Lets others have their turn first where one came to nothing. */
export async function postponeTurn(tenantId: string, now: number): Promise<void> {
  const postpone = "update alert_turns set next_at = $2::timestamptz where tenant_id = $1::uuid";
  await tenantRaw(tenantId, (tx) => tx.$queryRawUnsafe(postpone, tenantId, new Date(now + TURN_MS)));
}

const OPEN = `
  insert into alert_turns (tenant_id, next_at) values ($1::uuid, $2::timestamptz) on conflict do nothing returning 1`;
const ADD_RULE = `
  insert into alert_rules
    (tenant_id, id, name, severity, hold_minutes, watch, metric, threshold, server, tool, window_minutes, min_calls)
  values ($1::uuid, $2::uuid, $3, $4, $5::int, $6, $7, $8::float8, $9, $10, coalesce($11::int, 5), coalesce($12::int, 20))`;

/** Gives a tenant its first rules, once: what it deletes afterwards stays away. True when this did it. */
export async function ensureRules(tx: RawTx, tenantId: string, nextAt = new Date(0)): Promise<boolean> {
  const opened = await tx.$queryRawUnsafe<unknown[]>(OPEN, tenantId, nextAt);
  if (opened.length === 0) return false;
  for (const rule of FIRST_RULES) {
    const { name, severity, holdMinutes, watch } = rule;
    const of = watch === null ? measureOf(rule) : [null, null, null, null, null, null];
    await tx.$queryRawUnsafe(ADD_RULE, tenantId, newId(), name, severity, holdMinutes, watch, ...of);
  }
  return true;
}

type Measure = Pick<MetricRule, "metric" | "threshold" | "server" | "tool" | "windowMinutes" | "minCalls">;
const measureOf = ({ metric, threshold, server, tool, windowMinutes, minCalls }: Measure): readonly unknown[] =>
  [metric, threshold, server, tool, windowMinutes, minCalls] as const;

/** Keeps the tenant from being judged until the end of the transaction. For changes of rules, which end alerts. */
export async function holdTurn(tx: RawTx, tenantId: string): Promise<void> {
  await ensureRules(tx, tenantId);
  await tx.$queryRawUnsafe("select 1 from alert_turns where tenant_id = $1::uuid for update", tenantId);
}
