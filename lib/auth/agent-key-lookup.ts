import "server-only";
import { createHash } from "node:crypto";
import type { AgentIdentity, AgentKeyCheck, AgentKeyRefusal } from "@/lib/auth/agent-identity";
import { platformSql } from "@/lib/db/sql";
import { env } from "@/lib/env";

const TOUCH_EVERY_MS = 60_000;

/** What is stored of a key: 256 random bits need no slow hash. */
export const agentKeyHash = (secret: string): Buffer => createHash("sha256").update(secret).digest();

type Row = {
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

const SQL = `
  select k.tenant_id as "tenantId", t.slug as "tenantSlug", t.zones as "tenantZones", t.status as "tenantStatus",
         a.id as "agentId", a.slug, a.name, a.status as "agentStatus", a.owner_member_id as "ownerMemberId",
         k.id as "keyId", k.expires_at as "expiresAt", k.revoked_at as "revokedAt", k.last_used_at as "lastUsedAt",
         coalesce((select json_agg(json_build_object('slug', r.slug, 'permissions', r.permissions, 'expiresAt', ar.expires_at)
                                   order by r.slug)
                     from agent_roles ar join roles r on r.tenant_id = ar.tenant_id and r.id = ar.role_id
                    where ar.tenant_id = a.tenant_id and ar.agent_id = a.id
                      and (ar.expires_at is null or ar.expires_at > $2)), '[]') as roles
    from agent_keys k
    join agents a on a.tenant_id = k.tenant_id and a.id = k.agent_id
    join tenants t on t.id = k.tenant_id
    join members o on o.tenant_id = a.tenant_id and o.id = a.owner_member_id
    join users u on u.id = o.user_id
   -- What the demo made opens nothing outside of it.
   where k.hash = $1 and ($3 or not (t.demo or u.demo))`;

/** A check together with the moment at which it stops being true by itself: the key or a role expires. */
export type LookedUp = { readonly check: AgentKeyCheck; readonly validUntil: number };

/** Asks the database about a key. */
export async function lookUpAgentKey(hash: Buffer, now: number): Promise<LookedUp> {
  const row = await platformSql(async (client) => {
    const [found] = (await client.query<Row>(SQL, [hash, new Date(now), env().demo])).rows;
    if (found !== undefined && (found.lastUsedAt === null || now - found.lastUsedAt.getTime() > TOUCH_EVERY_MS)) {
      const stamp = "update agent_keys set last_used_at = $3 where tenant_id = $1 and id = $2";
      await client.query(stamp, [found.tenantId, found.keyId, new Date(now)]);
    }
    return found;
  });
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
