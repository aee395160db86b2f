import "server-only";
import type { TenantTx } from "@/lib/db/in-tenant";
import { CALLS_WAIT_MS, platformSql, type RawTx, tenantRaw, tenantSql } from "@/lib/db/sql";
import type { HealthState } from "@/lib/servers/health/health-rules";

export type DueServer = { readonly tenantId: string; readonly serverId: string };

/** No call waits for these, but no loop may hang for ever either. */
const PATIENCE_MS = 3 * CALLS_WAIT_MS;
/** How much later than its turn a server may be asked by a process that does not hold its connection. */
const TAKE_OVER_AFTER_S = 10;
/** What one look finds at most; of a tenant so many that it cannot hide the others' turns. */
const MAX_DUE = 1_000;
const MAX_DUE_PER_TENANT = 128;

// The process that asked last has the connection, so it goes first; when it is gone another one takes over.
const IS_DUE = (me: string) => `h.next_check_at <= now()
  and (h.checked_by is null or h.checked_by = ${me} or h.next_check_at <= now() - interval '${TAKE_OVER_AFTER_S} s')`;
const DUE = `select "tenantId", "serverId" from (
  select s.tenant_id as "tenantId", s.id as "serverId", h.next_check_at,
    row_number() over (partition by s.tenant_id order by h.next_check_at nulls first) as nth
  from servers s
  join tenants t on t.id = s.tenant_id and t.status = 'active'
  left join server_health h on h.tenant_id = s.tenant_id and h.server_id = s.id
  where s.status = 'enabled' and (h.server_id is null or (${IS_DUE("$1::uuid")}))) as due
  where nth <= ${MAX_DUE_PER_TENANT} order by next_check_at nulls first limit ${MAX_DUE}`;

/** Servers of all tenants whose turn it is. Others may see the same ones: `claim` decides. */
export const dueServers = (processId: string): Promise<readonly DueServer[]> =>
  platformSql(async (client) => (await client.query<DueServer>(DUE, [processId])).rows, undefined, PATIENCE_MS);

const CLAIM = `insert into server_health as h (tenant_id, server_id, next_check_at, checked_by)
  select tenant_id, id, now() + $3 * interval '1 millisecond', $4::uuid from servers
    where tenant_id = $1 and id = $2 and status = 'enabled'
  on conflict (tenant_id, server_id) do update
    set next_check_at = excluded.next_check_at, checked_by = excluded.checked_by where ${IS_DUE("$4::uuid")}
  returning status, since, failures, failing_from as "failingFrom", reason_code as "reasonCode", reason`;

/** Takes the turn by moving it on, in one statement: of any number of processes exactly one gets the state back. */
export const claim = (due: DueServer, processId: string, holdMs: number): Promise<HealthState | null> =>
  tenantSql(
    due.tenantId,
    async (client) => {
      const { rows } = await client.query<HealthState>(CLAIM, [due.tenantId, due.serverId, holdMs, processId]);
      return rows[0] ?? null;
    },
    PATIENCE_MS,
  );

export type Checked = { readonly state: HealthState; readonly nextCheckMs: number; readonly latencyMs: number | null };

// All times by the clock of the database, which is also what says whose turn it is.
const STORE = `update server_health set status = $3, since = $4::timestamptz, failures = $5::int,
    failing_from = $6::timestamptz, reason_code = $7, reason = $8, latency_ms = $9::int, checked_at = now(),
    next_check_at = now() + $10::int * interval '1 millisecond'
  where tenant_id = $1::uuid and server_id = $2::uuid`;

/** Keeps what was found. */
export const storeHealth = (due: DueServer, checked: Checked): Promise<void> =>
  tenantRaw(due.tenantId, (tx) => storeHealthIn(tx, due, checked));

/** The same as part of a transaction that tells the trail, so that a change and its entry exist together. */
export async function storeHealthIn(tx: RawTx, { tenantId, serverId }: DueServer, checked: Checked): Promise<void> {
  const { status, since, failures, failingFrom, reasonCode, reason } = checked.state;
  // As text with its zone: Prisma would leave the zone out.
  const [from, failing] = [since.toISOString(), failingFrom?.toISOString() ?? null];
  const values = [tenantId, serverId, status, from, failures, failing, reasonCode, reason?.slice(0, 500) ?? null];
  await tx.$queryRawUnsafe(STORE, ...values, checked.latencyMs, checked.nextCheckMs);
}

/** Makes it the server's turn now. */
export async function askSoon(tx: TenantTx, { tenantId, serverId }: DueServer): Promise<void> {
  await tx.$executeRaw`update server_health set next_check_at = now()
    where tenant_id = ${tenantId}::uuid and server_id = ${serverId}::uuid`;
}
