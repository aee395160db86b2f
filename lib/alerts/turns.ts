import "server-only";
import { FIRST_RULES } from "@/lib/alerts/rules";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { inTenant, type TenantTx } from "@/lib/db/in-tenant";
import { platformSql } from "@/lib/db/sql";

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

/** Takes the turn by moving it on, until the end of the transaction nobody else has it; false where it is not ours. */
export async function takeTurn(tx: TenantTx, tenantId: string, now: number): Promise<boolean> {
  const next = new Date(now + TURN_MS);
  const taken = await tx.$executeRaw`
    with mine as (
      select tenant_id from alert_turns where tenant_id = ${tenantId}::uuid and next_at <= ${new Date(now)} for update skip locked
    )
    update alert_turns t set next_at = ${next} from mine where t.tenant_id = mine.tenant_id`;
  return taken === 1 || (await ensureRules(tx, tenantId, next));
}

/** Lets others have their turn first where one came to nothing. */
export async function postponeTurn(tenantId: string, now: number): Promise<void> {
  await inTenant(tenantId, (tx) => tx.alertTurn.updateMany({ data: { nextAt: new Date(now + TURN_MS) } }));
}

/** Gives a tenant its first rules, once: what it deletes afterwards stays away. True when this did it. */
export async function ensureRules(tx: TenantTx, tenantId: string, nextAt = new Date(0)): Promise<boolean> {
  const opened = await tx.$executeRaw`
    insert into alert_turns (tenant_id, next_at) values (${tenantId}::uuid, ${nextAt}) on conflict do nothing`;
  if (opened === 0) return false;
  await tx.alertRule.createMany({ data: FIRST_RULES.map((rule) => ({ ...rule, tenantId, id: newId() })) });
  return true;
}

/** Keeps the tenant from being judged until the end of the transaction. For changes of rules, which end alerts. */
export async function holdTurn(tx: TenantTx, tenantId: string): Promise<void> {
  await ensureRules(tx, tenantId);
  await tx.$queryRaw`select 1 from alert_turns where tenant_id = ${tenantId}::uuid for update`;
}
