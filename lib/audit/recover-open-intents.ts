import type pg from "pg";
import { closingDraft } from "@/lib/audit/closing-draft";
import type { EntryDraft } from "@/lib/audit/entry";
import { gatewayId } from "@/lib/audit/gateway-identity";
import type { RecordFields } from "@/lib/audit/record";
import { trail } from "@/lib/audit/trail";
import { parseRecord } from "@/lib/audit/views";
import { logger } from "@/lib/core/logger";
import { databaseUrl } from "@/lib/db/client";
import { endSession, openSession } from "@/lib/db/own-session";
import { platformSql, tenantSql } from "@/lib/db/sql";
import { env } from "@/lib/env";

/** A step of the clock of the process that died must not hide an intent. */
const MARGIN_MS = 60_000;
/**
 * With several processes a freed lock may only mean a broken connection, so the heart must have stopped as well.
 * The embedded database serves one gateway: who finds a free lock there is its successor.
 */
const SILENT_MS = 12_000;
/** The clock may have been set back in the middle of a call; the bound spares all earlier months the look. */
const SET_BACK = "interval '1 day'";

type DeadProcess = { readonly id: string; readonly lock_key: string; readonly open_since: Date };

/**
 * Closes the calls of processes that are gone: each intent without an outcome gets one that says `unknown`.
 * Silence would be worse: nobody could tell such a call from one that never ran. Returns how many were closed.
 */
export async function recoverOpenIntents(): Promise<number> {
  const suspects = await findSilent();
  if (suspects.length === 0) return 0;
  const session = await openSession(databaseUrl(), "countersign recovery");
  try {
    let closed = 0;
    for (const suspect of suspects) closed += await recoverOne(session, suspect);
    return closed;
  } finally {
    await endSession(session);
  }
}

async function findSilent(): Promise<readonly DeadProcess[]> {
  const silentMs = env().embeddedDatabase ? 0 : SILENT_MS;
  const { rows } = await platformSql((client) =>
    client.query<DeadProcess>(
      `select id, lock_key::text as lock_key, open_since from gateway_processes
        where closed_at is null and id <> $1::uuid and last_seen_at <= now() - make_interval(secs => $2::float8)
        order by started_at`,
      [gatewayId(), silentMs / 1000],
    ),
  );
  return rows;
}

/** Under the dead one's own lock: a living process holds it, and so does another that recovers it already. */
async function recoverOne(session: pg.Client, dead: DeadProcess): Promise<number> {
  const taken = await session.query<{ taken: boolean }>("select pg_try_advisory_lock($1::bigint) as taken", [
    dead.lock_key,
  ]);
  if (taken.rows[0]?.taken !== true) return 0;
  try {
    const { closed, left } = await closeEverywhere(dead);
    // One that is left is tried again with the process it belongs to.
    if (left > 0) return closed;
    await platformSql((client) =>
      client.query("update gateway_processes set closed_at = now() where id = $1::uuid", [dead.id]),
    );
    logger.info({ gateway: dead.id, closed }, "a process is gone; its open calls were closed as unknown");
    return closed;
  } finally {
    await session.query("select pg_advisory_unlock($1::bigint)", [dead.lock_key]);
  }
}

type Closed = { readonly closed: number; readonly left: number };

/** A tenant whose chain takes nothing keeps neither the others' calls open nor a gateway from starting. */
async function closeEverywhere(dead: DeadProcess): Promise<Closed> {
  let [closed, left] = [0, 0];
  for (const tenantId of await allTenants()) {
    const here = await closeIn(tenantId, dead);
    closed += here.closed;
    left += here.left;
  }
  return { closed, left };
}

async function allTenants(): Promise<readonly string[]> {
  const { rows } = await platformSql((client) => client.query<{ id: string }>("select id from tenants"));
  return rows.map(({ id }) => id);
}

async function closeIn(tenantId: string, dead: DeadProcess): Promise<Closed> {
  const since = new Date(dead.open_since.getTime() - MARGIN_MS).toISOString();
  const { rows } = await tenantSql(tenantId, (client) =>
    client.query<{ record: Buffer }>(
      `select i.record from audit_entries i
        where i.tenant_id = $1::uuid and i.ts >= $2::timestamptz and i.gateway_id = $3::uuid and i.phase = 'intent'
          and (select o.seq from audit_entries o where o.tenant_id = $1::uuid and o.call_id = i.call_id
            and o.phase = 'outcome' and o.ts >= $2::timestamptz - ${SET_BACK} limit 1) is null
        order by i.seq`,
      [tenantId, since, dead.id],
    ),
  );
  const drafts = rows.flatMap(({ record }) => intentOf(tenantId, parseRecord(record)));
  const ended = await Promise.allSettled(drafts.map((draft) => trail().append(closingDraft(draft, "lost"))));
  const failures = ended.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
  if (failures.length > 0) {
    const text = "open calls of a process that is gone could not be closed and will be tried again";
    logger.error({ tenantId, gateway: dead.id, left: failures.length, err: failures[0] }, text);
  }
  return { closed: drafts.length - failures.length, left: failures.length };
}

/** The draft an intent was made from, as far as its successor has to repeat it. */
function intentOf(tenantId: string, record: RecordFields | null): EntryDraft[] {
  if (record === null || record.call_id === undefined) return [];
  const said = (name: keyof RecordFields): string | undefined =>
    record[name] === undefined ? undefined : String(record[name]);
  const optional = {
    onBehalfOf: said("on_behalf_of"),
    authMethod: said("auth_method"),
    credentialId: said("credential_id"),
    server: said("server"),
    serverId: said("server_id"),
    tool: said("tool"),
    target: said("target"),
    toolDefinitionSha256: said("tool_def_sha256"),
    permission: said("permission"),
    ruleId: said("rule_id"),
    policySha256: said("policy_version_sha256"),
    door: said("door"),
    era: said("era"),
    clientName: said("client_name"),
    ip: said("src_ip"),
    userAgent: said("user_agent"),
    traceId: said("trace_id"),
    spanId: said("span_id"),
  };
  const draft = {
    tenantId,
    callId: String(record.call_id),
    phase: "intent",
    eventType: "tool_call.started",
    outcome: "pending",
    actor: {
      type: (record.actor_type ?? "anonymous") as EntryDraft["actor"]["type"],
      id: String(record.actor_id ?? ""),
      name: String(record.actor_name ?? ""),
    },
    requestId: String(record.request_id ?? ""),
    ...(typeof record.policy_version === "number" ? { policyVersion: record.policy_version } : {}),
    ...(record.decision === "allowed" ? { decision: "allowed" as const } : {}),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  } as const satisfies EntryDraft;
  return [draft];
}
