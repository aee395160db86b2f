import "server-only";
import type { Soon } from "@/lib/core/soon";
import { type TenantCache, tenantCache } from "@/lib/core/tenant-cache";
import { CALLS_WAIT_MS, tenantSql } from "@/lib/db/sql";
import { RETRY_POLICIES, type RetryPolicy } from "@/lib/limits/schemas";

/** What we decided about calls to one server, apart from how it is reached. */
export type ServerHandling = {
  readonly retryPolicy: RetryPolicy;
  /** How long answers of a tool are given again, by tool. */
  readonly cacheTtlMs: ReadonlyMap<string, number>;
  /** Another one after each change of the server or its tools, and of a kill switch: answers from before are not given again. */
  readonly revision: string;
};
/** By server id. */
export type Handling = ReadonlyMap<string, ServerHandling>;

type Row = {
  readonly id: string;
  readonly retry_policy: string;
  readonly revision: string;
  readonly cached: Record<string, number> | null;
};

// Switches are only ever added and lifted, so their counts tell whether one was. Every write to a tool touches its server.
const SQL = `select s.id, s.retry_policy,
    s.xmin::text || s.updated_at::text || (select '/' || count(*) || '/' || count(k.lifted_at) from kill_switches k
      where k.tenant_id = s.tenant_id) as revision,
    (select jsonb_object_agg(t.tool, t.cache_ttl_ms) from tool_settings t
      where t.tenant_id = s.tenant_id and t.server_id = s.id and t.cache_ttl_ms > 0) as cached
  from servers s where s.tenant_id = $1`;

export const toRetryPolicy = (text: string): RetryPolicy => RETRY_POLICIES.find((known) => known === text) ?? "off";

async function load(tenantId: string): Promise<Handling> {
  const { rows } = await tenantSql(tenantId, (client) => client.query<Row>(SQL, [tenantId]), CALLS_WAIT_MS);
  return new Map(
    rows.map(({ id, retry_policy: policy, cached, revision }) => [
      id,
      { retryPolicy: toRetryPolicy(policy), cacheTtlMs: new Map(Object.entries(cached ?? {})), revision },
    ]),
  );
}

const cache = (): TenantCache<Handling> =>
  tenantCache("handling", { load, dropOn: (message) => message.topic === "server.changed" });

/** How the tenant's servers are called, at most two seconds old. */
export const currentHandling = (tenantId: string): Soon<Handling> => cache().get(tenantId);
