import "server-only";
import { LRUCache } from "lru-cache";
import { bus } from "@/lib/core/bus";
import { singleton } from "@/lib/core/singleton";
import { type TenantCache, tenantCache } from "@/lib/core/tenant-cache";
import { tenantSql } from "@/lib/db/sql";

/** Up to which moment, by the clock of the database, a tenant's ended sessions have been read. */
type ReadUpTo = { readonly endedAt: string };
type Row = { readonly id: string; readonly ended_at: string };

/** What one read brings at most, the newest first; and what a process remembers of all tenants together. */
const MAX_READ = 20_000;
const MAX_REMEMBERED = 100_000;

const EVER = "-infinity";
// A transaction commits after the moment that it notes down: what is a little older is read again.
const NEWLY_ENDED = `select id, ended_at::text from ended_sessions
   where tenant_id = $1 and ended_at > $2::timestamptz - interval '30 seconds' and expires_at > now()
   order by ended_at desc limit ${MAX_READ}`;

const ended = (): LRUCache<string, true> =>
  singleton("gateway.ended-sessions", () => {
    const ids = new LRUCache<string, true>({ max: MAX_REMEMBERED });
    bus.subscribe((message) => {
      if (message.topic === "agent_session.ended") ids.set(message.session, true);
    });
    return ids;
  });

async function load(tenantId: string, previous: ReadUpTo | undefined): Promise<ReadUpTo> {
  const since = previous?.endedAt ?? EVER;
  const { rows } = await tenantSql(tenantId, (client) => client.query<Row>(NEWLY_ENDED, [tenantId, since]));
  const ids = ended();
  for (const { id } of rows) ids.set(id, true);
  return { endedAt: rows[0]?.ended_at ?? since };
}

const reads = (): TenantCache<ReadUpTo> => tenantCache("ended-sessions", { load });

/** True for a session that was ended, here or in another process at least two seconds ago. A failed read throws. */
export async function isEnded(tenantId: string, id: string): Promise<boolean> {
  await reads().get(tenantId);
  return ended().has(id);
}

/** Ends a session for all processes; false when it was ended before. Ends that no longer matter are forgotten. */
export async function endSession(tenantId: string, id: string, expiresAt: Date): Promise<boolean> {
  const isNew = await tenantSql(tenantId, async (client) => {
    await client.query("delete from ended_sessions where tenant_id = $1 and expires_at < now()", [tenantId]);
    const { rowCount } = await client.query(
      "insert into ended_sessions (tenant_id, id, expires_at) values ($1, $2, $3) on conflict do nothing",
      [tenantId, id, expiresAt],
    );
    return rowCount === 1;
  });
  ended();
  bus.publish({ topic: "agent_session.ended", tenantId, session: id });
  return isNew;
}
