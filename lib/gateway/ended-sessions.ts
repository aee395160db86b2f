import "server-only";
import { LRUCache } from "lru-cache";
import { bus } from "@/lib/core/bus";
import { singleton } from "@/lib/core/singleton";
import { MAX_AGE_MS, makeTenantCache } from "@/lib/core/tenant-cache";
import { tenantSql } from "@/lib/db/sql";

/** Up to which moment, by the clock of the database, a tenant's ended sessions have been read, and whether all of them were. */
type ReadUpTo = { readonly endedAt: string; readonly isWhole: boolean };
type Row = { readonly id: string; readonly ended_at: string };

/** What one read brings at most, the newest first; and what a process remembers of all tenants together. */
const MAX_READ = 20_000;
const MAX_REMEMBERED = 100_000;

const EVER = "-infinity";
// A transaction commits after the moment that it notes down: what is a little older is read again.
const NEWLY_ENDED = `select id, ended_at::text from ended_sessions
   where tenant_id = $1 and ended_at > $2::timestamptz - interval '30 seconds' and expires_at > now()
   order by ended_at desc limit $3`;
const IS_ENDED = "select 1 from ended_sessions where tenant_id = $1 and id = $2";

type Memory = {
  readonly ended: LRUCache<string, true>;
  /** Sessions that the database was asked about because memory may lack them. */
  readonly live: LRUCache<string, true>;
  /** Something was pushed out: who is not in memory may have ended all the same. */
  hasForgotten: boolean;
};

export type EndedSessions = {
  /** True for a session that was ended, here or in another process at least two seconds ago. A failed read throws. */
  readonly isEnded: (tenantId: string, id: string) => Promise<boolean>;
  readonly note: (id: string) => void;
};

/** Which sessions have ended, from memory; from the database where more have ended than memory holds. */
export function makeEndedSessions(maxRemembered = MAX_REMEMBERED, maxRead = MAX_READ): EndedSessions {
  const memory: Memory = {
    ended: new LRUCache({
      max: maxRemembered,
      dispose: (_value, _id, why) => {
        if (why === "evict") memory.hasForgotten = true;
      },
    }),
    live: new LRUCache({ max: maxRemembered, ttl: MAX_AGE_MS }),
    hasForgotten: false,
  };

  async function load(tenantId: string, previous: ReadUpTo | undefined): Promise<ReadUpTo> {
    const since = previous?.endedAt ?? EVER;
    const { rows } = await tenantSql(tenantId, (client) => client.query<Row>(NEWLY_ENDED, [tenantId, since, maxRead]));
    for (const { id } of rows) memory.ended.set(id, true);
    return { endedAt: rows[0]?.ended_at ?? since, isWhole: previous?.isWhole !== false && rows.length < maxRead };
  }
  const reads = makeTenantCache<ReadUpTo>({ load });

  async function ask(tenantId: string, id: string): Promise<boolean> {
    if (memory.live.has(id)) return false;
    const { rows } = await tenantSql(tenantId, (client) => client.query(IS_ENDED, [tenantId, id]));
    (rows.length > 0 ? memory.ended : memory.live).set(id, true);
    return rows.length > 0;
  }

  return {
    async isEnded(tenantId, id) {
      const { isWhole } = await reads.get(tenantId);
      if (memory.ended.has(id)) return true;
      return isWhole && !memory.hasForgotten ? false : ask(tenantId, id);
    },
    note: (id) => void memory.ended.set(id, true),
  };
}

const sessions = (): EndedSessions =>
  singleton("gateway.ended-sessions", () => {
    const made = makeEndedSessions();
    bus.subscribe((message) => {
      if (message.topic === "agent_session.ended") made.note(message.session);
    });
    return made;
  });

/** True for a session that was ended, here or in another process at least two seconds ago. A failed read throws. */
export const isEnded = (tenantId: string, id: string): Promise<boolean> => sessions().isEnded(tenantId, id);

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
  sessions();
  bus.publish({ topic: "agent_session.ended", tenantId, session: id });
  return isNew;
}
