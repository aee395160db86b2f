import "server-only";
import { createHash } from "node:crypto";
import { intersection } from "@/lib/auth/effective-permissions";
import { MEMBERSHIPS_SQL, type Membership, permissionsOf } from "@/lib/auth/memberships";
import { platformSql } from "@/lib/db/sql";
import { env } from "@/lib/env";

/** The person behind a token, narrowed to the token's tenant and scopes. */
export type TokenIdentity = {
  readonly tokenId: string;
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly platformAdmin: boolean;
  readonly membership: Membership;
  readonly permissions: ReadonlySet<string>;
};

type Row = {
  id: string;
  tenantId: string;
  scopes: string[];
  lastUsedAt: Date | null;
  userId: string;
  email: string;
  name: string;
  platformAdmin: boolean;
};

const TOKEN = /^cst_[A-Za-z0-9_-]{43}$/;
const TOUCH_EVERY_MS = 60_000;

const TOKEN_SQL = `
  select k.id, k.tenant_id as "tenantId", k.scopes, k.last_used_at as "lastUsedAt",
         u.id as "userId", u.email, u.name, u.platform_admin as "platformAdmin"
    from api_tokens k
    join members m on m.tenant_id = k.tenant_id and m.id = k.member_id
    join users u on u.id = m.user_id
    join tenants t on t.id = k.tenant_id
   where k.hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)
     -- What the demo made opens nothing outside of it.
     and ($3 or not (t.demo or u.demo))`;

/** 256 random bits need no slow hash. */
export const tokenHash = (secret: string): Buffer => createHash("sha256").update(secret).digest();

/** Whom a `cst_…` token speaks for, or null. What its owner lost since, the token lost too. */
export async function verifyApiToken(secret: string, now = Date.now()): Promise<TokenIdentity | null> {
  if (!TOKEN.test(secret)) return null;
  return platformSql(async (client) => {
    const at = new Date(now);
    const [row] = (await client.query<Row>(TOKEN_SQL, [tokenHash(secret), at, env().demo])).rows;
    if (row === undefined) return null;
    const { rows } = await client.query<Membership>(MEMBERSHIPS_SQL, [row.userId, at]);
    const membership = rows.find((candidate) => candidate.tenantId === row.tenantId);
    if (membership === undefined) return null;
    if (row.lastUsedAt === null || now - row.lastUsedAt.getTime() > TOUCH_EVERY_MS) {
      await client.query("update api_tokens set last_used_at = $3 where tenant_id = $1 and id = $2", [
        row.tenantId,
        row.id,
        at,
      ]);
    }
    const held = permissionsOf(membership);
    if (row.platformAdmin) held.add("platform:*");
    const { id, userId, email, name, platformAdmin } = row;
    const permissions = intersection(held, new Set(row.scopes));
    return { tokenId: id, userId, email, name, platformAdmin, membership, permissions };
  });
}
