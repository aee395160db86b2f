import "server-only";
import type { Soon } from "@/lib/core/soon";
import { type TenantCache, tenantCache } from "@/lib/core/tenant-cache";
import { CALLS_WAIT_MS, tenantSql } from "@/lib/db/sql";
import { type KillSet, makeKillSet, type ThrownSwitch } from "@/lib/kill-switches/kill-set";

const THROWN = "select id, kind, target, reason from kill_switches where tenant_id = $1 and lifted_at is null";

async function load(tenantId: string): Promise<KillSet> {
  const { rows } = await tenantSql(tenantId, (client) => client.query<ThrownSwitch>(THROWN, [tenantId]), CALLS_WAIT_MS);
  return makeKillSet(rows);
}

const cache = (): TenantCache<KillSet> =>
  tenantCache("kill-switches", { load, dropOn: (message) => message.topic === "kill_switch.changed" });

/** What is stopped in this tenant, at most two seconds old. A failed read throws: what cannot be looked up is not let through. */
export const currentKillSet = (tenantId: string): Soon<KillSet> => cache().get(tenantId);
