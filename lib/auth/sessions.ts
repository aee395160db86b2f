import "server-only";
import type { PoolClient } from "pg";
import { endReasonOf, idleEnd, type SessionEnd, TOUCH_EVERY_MS } from "@/lib/auth/lifetimes";
import { MEMBERSHIPS_SQL, type Membership } from "@/lib/auth/memberships";
import { recordSessionEvent, type SeenFrom } from "@/lib/auth/session-events";
import { bus } from "@/lib/core/bus";
import { isUuid } from "@/lib/core/ids";
import { inPlatform } from "@/lib/db/in-tenant";
import { platformSql } from "@/lib/db/sql";
import { env } from "@/lib/env";

/** A person with a session that is good right now. */
export type LiveSession = {
  readonly id: string;
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly platformAdmin: boolean;
  readonly activeTenantId: string | null;
  readonly expiresAt: Date;
  readonly idleExpiresAt: Date;
  readonly memberships: readonly Membership[];
};

type Row = Omit<LiveSession, "memberships"> & {
  readonly revokedAt: Date | null;
  readonly endReason: string | null;
  readonly lastSeenAt: Date;
};

const SESSION_SQL = `
  select s.id, s.user_id as "userId", u.email, u.name, u.platform_admin as "platformAdmin",
         s.active_tenant_id as "activeTenantId", s.expires_at as "expiresAt", s.idle_expires_at as "idleExpiresAt",
         s.revoked_at as "revokedAt", s.end_reason as "endReason", s.last_seen_at as "lastSeenAt"
    from sessions s join users u on u.id = s.user_id
   -- A person whom the demo made is nobody outside of it.
   where s.id = $1 and ($2 or not u.demo)`;

/**
 * The session behind an id, or null when it has ended. Asked on every request: a cookie alone never suffices. What a page
 * asks while nobody attends it is answered, and keeps no session alive.
 */
export async function findLiveSession(
  sessionId: string,
  now = Date.now(),
  isAttended = true,
): Promise<LiveSession | null> {
  if (!isUuid(sessionId)) return null;
  const found = await platformSql((client) => load(client, sessionId, now, isAttended));
  if (found === null || found.ended === null) return found?.session ?? null;
  if (found.ended !== "revoked") await endSession(sessionId, found.ended);
  return null;
}

async function load(client: PoolClient, sessionId: string, now: number, isAttended: boolean) {
  const { rows } = await client.query<Row>(SESSION_SQL, [sessionId, env().demo]);
  const row = rows[0];
  if (row === undefined) return null;
  const ended = endReasonOf(row, now);
  if (ended !== null) return { ended, session: null };
  const idleExpiresAt = isAttended ? await touch(client, row, now) : row.idleExpiresAt;
  const { rows: memberships } = await client.query<Membership>(MEMBERSHIPS_SQL, [row.userId, new Date(now)]);
  return { ended: null, session: { ...row, idleExpiresAt, memberships } };
}

async function touch(client: PoolClient, row: Row, now: number): Promise<Date> {
  if (now - row.lastSeenAt.getTime() < TOUCH_EVERY_MS) return row.idleExpiresAt;
  const end = idleEnd(now, row.expiresAt);
  await client.query(
    "update sessions set last_seen_at = $2, idle_expires_at = $3 where id = $1 and revoked_at is null",
    [row.id, new Date(now), end],
  );
  return end;
}

type Ended = { userId: string; email: string; activeTenantId: string | null };

/** Ends a session once, with its reason in the trail, both or neither. Does nothing to one that has ended already. */
export async function endSession(sessionId: string, reason: SessionEnd, seen: SeenFrom = {}): Promise<void> {
  if (!isUuid(sessionId)) return;
  const ended = await inPlatform(async (tx) => {
    const rows = await tx.$queryRaw<Ended[]>`
      update sessions s set revoked_at = now(), end_reason = ${reason} from users u
       where s.id = ${sessionId}::uuid and s.revoked_at is null and u.id = s.user_id
       returning s.user_id as "userId", u.email, s.active_tenant_id as "activeTenantId"`;
    const [row] = rows;
    if (row === undefined) return false;
    const actor = { type: "user", id: row.userId, name: row.email } as const;
    const fact = { eventType: "session.closed", reasonCode: reason, sessionId, actor, target: row.email };
    await recordSessionEvent(tx, row.activeTenantId, fact, seen);
    return true;
  });
  if (ended) bus.publish({ topic: "session.changed", sessionId });
}
