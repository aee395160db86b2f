import "server-only";
import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import type { PoolClient } from "pg";
import { newId } from "@/lib/core/ids";
import { logger } from "@/lib/core/logger";
import { openBytes, sealBytes } from "@/lib/core/sealed-bytes";
import { singleton } from "@/lib/core/singleton";
import { processSecrets } from "@/lib/db/process-secrets";
import { tenantSql } from "@/lib/db/sql";

export type KeyPurpose = "credential" | "payload";
export type Sealed = { readonly keyId: string; readonly sealed: Buffer };

type DataKey = { readonly id: string; readonly secret: KeyObject };
type KeyRow = { id: string; purpose: KeyPurpose; master_key_id: string; wrapped: Buffer };

/** Unwrapped keys of this process. They are in memory only, and as many as tenants times purposes. */
const cache = singleton("db.tenant-keys", () => ({
  current: new Map<string, DataKey>(),
  loading: new Map<string, Promise<DataKey>>(),
  byId: new Map<string, DataKey>(),
}));

const slotOf = (tenantId: string, purpose: KeyPurpose): string => `${tenantId}/${purpose}`;
/** Bound into every ciphertext, so that none opens under another tenant, key or row. */
const bound = (tenantId: string, keyId: string, aad: string): string => `${tenantId}|${keyId}|${aad}`;

/** Seals `plain` with the tenant's key; `aad` names the row it belongs to and must be given again to open it. */
export async function seal(tenantId: string, purpose: KeyPurpose, aad: string, plain: Uint8Array): Promise<Sealed> {
  const key = await currentKey(tenantId, purpose);
  return { keyId: key.id, sealed: sealBytes(key.secret, bound(tenantId, key.id, aad), plain) };
}

/** `seal` without waiting, for the hot path. null while the key is not in memory; asking for it starts loading it. */
export function sealNow(tenantId: string, purpose: KeyPurpose, aad: string, plain: Uint8Array): Sealed | null {
  const key = cache.current.get(slotOf(tenantId, purpose));
  if (key !== undefined) return { keyId: key.id, sealed: sealBytes(key.secret, bound(tenantId, key.id, aad), plain) };
  currentKey(tenantId, purpose).catch((cause: unknown) => {
    logger.warn({ err: cause, tenantId, purpose }, "a tenant's data key could not be loaded");
  });
  return null;
}

/** Opens what `seal` made; throws when the key, the tenant, the row or a single bit differs. */
export async function openSealed(tenantId: string, keyId: string, aad: string, sealed: Uint8Array): Promise<Buffer> {
  const key = await keyById(tenantId, keyId);
  return openBytes(key.secret, bound(tenantId, keyId, aad), sealed);
}

/** Brings the tenant's key into memory, making the first one. After it `sealNow` answers. */
export async function warmKey(tenantId: string, purpose: KeyPurpose): Promise<void> {
  await currentKey(tenantId, purpose);
}

async function currentKey(tenantId: string, purpose: KeyPurpose): Promise<DataKey> {
  const slot = slotOf(tenantId, purpose);
  const known = cache.current.get(slot);
  if (known !== undefined) return known;
  const loading = cache.loading.get(slot) ?? loadCurrent(tenantId, purpose).finally(() => cache.loading.delete(slot));
  cache.loading.set(slot, loading);
  const key = await loading;
  cache.current.set(slot, key);
  return key;
}

async function loadCurrent(tenantId: string, purpose: KeyPurpose): Promise<DataKey> {
  return tenantSql(tenantId, async (client) => {
    const found = await newestRow(client, tenantId, purpose);
    if (found !== undefined) return remember(tenantId, unwrap(tenantId, found));
    // Two processes meeting here must agree on one first key.
    await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [slotOf(tenantId, purpose)]);
    const meanwhile = await newestRow(client, tenantId, purpose);
    if (meanwhile !== undefined) return remember(tenantId, unwrap(tenantId, meanwhile));
    return remember(tenantId, await makeKey(client, tenantId, purpose));
  });
}

async function newestRow(client: PoolClient, tenantId: string, purpose: KeyPurpose): Promise<KeyRow | undefined> {
  const { rows } = await client.query<KeyRow>(
    `select id, purpose, master_key_id, wrapped from tenant_keys
      where tenant_id = $1 and purpose = $2 order by created_at desc, id desc limit 1`,
    [tenantId, purpose],
  );
  return rows[0];
}

async function makeKey(client: PoolClient, tenantId: string, purpose: KeyPurpose): Promise<DataKey> {
  const { masterKey, masterKeyId } = processSecrets();
  const bytes = randomBytes(32);
  const key = { id: newId(), secret: createSecretKey(bytes) };
  await client.query(
    "insert into tenant_keys (tenant_id, id, purpose, master_key_id, wrapped) values ($1, $2, $3, $4, $5)",
    [
      tenantId,
      key.id,
      purpose,
      masterKeyId,
      sealBytes(createSecretKey(masterKey), bound(tenantId, key.id, purpose), bytes),
    ],
  );
  return key;
}

async function keyById(tenantId: string, keyId: string): Promise<DataKey> {
  const known = cache.byId.get(`${tenantId}/${keyId}`);
  if (known !== undefined) return known;
  const { rows } = await tenantSql(tenantId, (client) =>
    client.query<KeyRow>(
      "select id, purpose, master_key_id, wrapped from tenant_keys where tenant_id = $1 and id = $2",
      [tenantId, keyId],
    ),
  );
  const row = rows[0];
  if (row === undefined) throw new Error(`The tenant has no data key ${keyId}.`);
  return remember(tenantId, unwrap(tenantId, row));
}

function unwrap(tenantId: string, row: KeyRow): DataKey {
  const { masterKey, masterKeyId } = processSecrets();
  if (row.master_key_id !== masterKeyId) {
    throw new Error(
      `Data key ${row.id} is wrapped by master key ${row.master_key_id}, this process has ${masterKeyId}.`,
    );
  }
  const bytes = openBytes(createSecretKey(masterKey), bound(tenantId, row.id, row.purpose), row.wrapped);
  return { id: row.id, secret: createSecretKey(bytes) };
}

function remember(tenantId: string, key: DataKey): DataKey {
  cache.byId.set(`${tenantId}/${key.id}`, key);
  return key;
}
