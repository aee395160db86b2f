import "server-only";
import { hash } from "node:crypto";
import type { AgentIdentity, AgentKeyCheck, AgentKeyRefusal } from "@/lib/auth/agent-identity";
import { singleton } from "@/lib/core/singleton";
import { CALLS_WAIT_MS, platformSql } from "@/lib/db/sql";
import { env } from "@/lib/env";

const TOUCH_EVERY_MS = 60_000;

/** What is stored of a key, in Base64: 256 random bits need no slow hash. */
export const agentKeyHash = (secret: string): string => hash("sha256", secret, "base64");

type Row = {
  place: number;
  tenantId: string;
  tenantSlug: string;
  tenantZones: string[];
  tenantStatus: string;
  agentId: string;
  slug: string;
  name: string;
  agentStatus: string;
  ownerMemberId: string;
  keyId: string;
  expiresAt: Date | null;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
  roles: { slug: string; permissions: string[]; expiresAt: string | null }[];
};

/** Each key is asked about at its own moment, by its place in the question. */
const SQL = `
  select asked.place::int as place, k.tenant_id as "tenantId", t.slug as "tenantSlug", t.zones as "tenantZones", t.status as "tenantStatus",
         a.id as "agentId", a.slug, a.name, a.status as "agentStatus", a.owner_member_id as "ownerMemberId",
         k.id as "keyId", k.expires_at as "expiresAt", k.revoked_at as "revokedAt", k.last_used_at as "lastUsedAt",
         coalesce((select json_agg(json_build_object('slug', r.slug, 'permissions', r.permissions, 'expiresAt', ar.expires_at)
                                   order by r.slug)
                     from agent_roles ar join roles r on r.tenant_id = ar.tenant_id and r.id = ar.role_id
                    where ar.tenant_id = a.tenant_id and ar.agent_id = a.id
                      and (ar.expires_at is null or ar.expires_at > asked.now)), '[]') as roles
    from unnest($1::bytea[], $2::timestamptz[]) with ordinality as asked(hash, now, place)
    join agent_keys k on k.hash = asked.hash
    join agents a on a.tenant_id = k.tenant_id and a.id = k.agent_id
    join tenants t on t.id = k.tenant_id
    join members o on o.tenant_id = a.tenant_id and o.id = a.owner_member_id
    join users u on u.id = o.user_id
   -- What the demo made opens nothing outside of it.
   where $3 or not (t.demo or u.demo)`;

/** Leaves alone what another process is just noting: it says the same, and two must not wait for each other. */
const TOUCH = `
  update agent_keys set last_used_at = $3
   where (tenant_id, id) in (
     select k.tenant_id, k.id from agent_keys k
      where (k.tenant_id, k.id) in (select * from unnest($1::uuid[], $2::uuid[])) for update skip locked)`;

/** A check together with the moment at which it stops being true by itself: the key or a role expires. */
export type LookedUp = { readonly check: AgentKeyCheck; readonly validUntil: number };

type Question = {
  readonly hash: Buffer;
  readonly now: number;
  readonly answer: (row: Row | undefined) => void;
  readonly fail: (cause: unknown) => void;
};

const MOST_AT_ONCE = 256;
/** More than one, so that a connection that hangs does not hold up everybody. */
const MOST_UNDER_WAY = 4;
const questions = singleton("auth.key-questions", () => ({ waiting: [] as Question[], underWay: 0 }));

/**
 * Asks the database about a key. Keys that are asked about while enough questions are under way go together in the next
 * one: when a thousand agents arrive at once, each with a key of its own, they take a few transactions and not a thousand.
 */
export async function lookUpAgentKey(hash: Buffer, now: number): Promise<LookedUp> {
  const row = await new Promise<Row | undefined>((answer, fail) => {
    questions.waiting.push({ hash, now, answer, fail });
    void askOn();
  });
  return lookedUp(row, now);
}

/** One question after the other until nobody waits. */
async function askOn(): Promise<void> {
  if (questions.underWay >= MOST_UNDER_WAY) return;
  questions.underWay += 1;
  while (questions.waiting.length > 0) {
    const asked = questions.waiting.splice(0, MOST_AT_ONCE);
    try {
      const rows = new Map((await readKeys(asked)).map((row) => [row.place, row]));
      // The database counts from one.
      for (const [index, { answer }] of asked.entries()) answer(rows.get(index + 1));
    } catch (cause) {
      for (const { fail } of asked) fail(cause);
    }
  }
  questions.underWay -= 1;
}

function readKeys(asked: readonly Question[]): Promise<Row[]> {
  const [hashes, moments] = [asked.map(({ hash }) => hash), asked.map(({ now }) => new Date(now))];
  return platformSql(
    async (client) => {
      const { rows } = await client.query<Row>(SQL, [hashes, moments, env().demo]);
      const latest = Math.max(...asked.map(({ now }) => now));
      const stale = rows.filter(({ lastUsedAt }) => latest - (lastUsedAt?.getTime() ?? 0) > TOUCH_EVERY_MS);
      const [tenants, keys] = [stale.map(({ tenantId }) => tenantId), stale.map(({ keyId }) => keyId)];
      if (stale.length > 0) await client.query(TOUCH, [tenants, keys, new Date(latest)]);
      return rows;
    },
    undefined,
    CALLS_WAIT_MS,
  );
}

function lookedUp(row: Row | undefined, now: number): LookedUp {
  if (row === undefined) return { check: { ok: false, reason: "unknown", known: null }, validUntil: Infinity };
  const reason = refusalOf(row, now);
  if (reason !== null) return { check: refused(row, reason), validUntil: Infinity };
  const ends = [
    row.expiresAt?.getTime(),
    ...row.roles.map((role) => (role.expiresAt === null ? undefined : Date.parse(role.expiresAt))),
  ];
  return {
    check: { ok: true, identity: toIdentity(row) },
    validUntil: Math.min(...ends.map((end) => end ?? Infinity)),
  };
}

type KnownReason = Extract<AgentKeyRefusal, { known: object }>["reason"];

function refusalOf(row: Row, now: number): KnownReason | null {
  if (row.revokedAt !== null) return "key_revoked";
  if (row.expiresAt !== null && row.expiresAt.getTime() <= now) return "key_expired";
  if (row.agentStatus !== "active") return "agent_suspended";
  return row.tenantStatus === "active" ? null : "tenant_suspended";
}

const refused = ({ tenantId, agentId, slug, keyId }: Row, reason: KnownReason): AgentKeyRefusal => ({
  ok: false,
  reason,
  known: { tenantId, agentId, slug, keyId },
});

function toIdentity(row: Row): AgentIdentity {
  const { tenantId, tenantSlug, tenantZones, agentId, slug, name, ownerMemberId, keyId } = row;
  const roles = row.roles.map((role) => ({ slug: role.slug, permissions: role.permissions }));
  const permissions = new Set(roles.flatMap((role) => role.permissions));
  return { tenantId, tenantSlug, tenantZones, agentId, slug, name, ownerMemberId, keyId, roles, permissions };
}
