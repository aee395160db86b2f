import "server-only";
import { platformSql, tenantSql } from "@/lib/db/sql";
import { env } from "@/lib/env";

const DAY_MS = 86_400_000;

const HELD_BY = `select distinct process::text as process from circuit_changes c
  where tenant_id = $1 and at >= $2 and process is not null and state in ('open', 'half-open') and not exists (
    select from circuit_changes l where l.tenant_id = $1 and l.server = c.server and l.tool = c.tool and l.at > c.at)`;
// A process that is told to be gone is one that said so, or that was found dead and whose calls were closed.
const GONE =
  "select id::text as id, closed_at from gateway_processes where id = any($1::uuid[]) and closed_at is not null";
const CLOSE = `insert into circuit_changes (tenant_id, id, at, server, tool, state, reason)
  select tenant_id, gen_random_uuid(), greatest(at, $3::timestamptz), server, tool, 'closed',
    'The process whose circuit it was has stopped.'
  from circuit_changes c where tenant_id = $1 and process = $2::uuid and state in ('open', 'half-open') and not exists (
    select from circuit_changes l where l.tenant_id = $1 and l.server = c.server and l.tool = c.tool and l.at > c.at)`;

/** Where processes do not share their circuits, one that stops takes its own along: the history must say so. */
export async function closeOrphanedCircuits(tenantId: string, now: number): Promise<void> {
  const since = new Date(now - DAY_MS);
  const held = await tenantSql(tenantId, (client) => client.query<{ process: string }>(HELD_BY, [tenantId, since]));
  if (held.rows.length === 0) return;
  const ids = held.rows.map(({ process }) => process);
  const gone = await platformSql((client) => client.query<{ id: string; closed_at: Date }>(GONE, [ids]));
  for (const { id, closed_at: at } of gone.rows) {
    await tenantSql(tenantId, (client) => client.query(CLOSE, [tenantId, id, at]));
  }
}

const DROP = `delete from circuit_changes c where tenant_id = $1 and at < $2 and exists (
  select from circuit_changes l where l.tenant_id = $1 and l.server = c.server and l.tool = c.tool and l.at > c.at and l.at <= $2)`;

/** Removes what is older than hours are kept, but for the last change of each circuit: it still says how the circuit stood. */
export async function dropOldCircuitChanges(now = Date.now()): Promise<void> {
  const before = new Date(now - env().METRICS_HOUR_DAYS * DAY_MS);
  const { rows } = await platformSql((client) => client.query<{ id: string }>("select id::text as id from tenants"));
  for (const { id } of rows) await tenantSql(id, (client) => client.query(DROP, [id, before]));
}
