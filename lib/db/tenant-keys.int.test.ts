import { randomBytes } from "node:crypto";
import { beforeEach, expect, it } from "vitest";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { resetSingleton, singleton } from "@/lib/core/singleton";
import { inTenant } from "@/lib/db/in-tenant";
import { openSealed, seal, sealNow, warmKey } from "@/lib/db/tenant-keys";
import { createTestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

type Cache = { current: Map<string, unknown>; loading: Map<string, unknown>; byId: Map<string, unknown> };

/** What a restart does to the keys in memory. */
function forgetKeys(): void {
  const cache = singleton<Cache>("db.tenant-keys", () => {
    throw new Error("the cache is made by the module");
  });
  for (const map of [cache.current, cache.loading, cache.byId]) map.clear();
}

beforeEach(forgetKeys);

const plain = Buffer.from('{"authorization":"Bearer secret"}');

it("opens what it sealed, also after a restart", async () => {
  const { tenantId } = await createTestTenant();
  const { keyId, sealed } = await seal(tenantId, "credential", "server:1", plain);
  expect(sealed.includes("secret")).toBe(false);
  forgetKeys();
  expect(await openSealed(tenantId, keyId, "server:1", sealed)).toEqual(plain);
});

it("binds every ciphertext to tenant, key and row", async () => {
  const [clinic, bank] = [await createTestTenant(), await createTestTenant()];
  const one = await seal(clinic.tenantId, "credential", "server:1", plain);
  const payload = await seal(clinic.tenantId, "payload", "server:1", plain);
  const foreign = await seal(bank.tenantId, "credential", "server:1", plain);
  await expect(openSealed(clinic.tenantId, one.keyId, "server:2", one.sealed)).rejects.toThrow();
  await expect(openSealed(clinic.tenantId, payload.keyId, "server:1", one.sealed)).rejects.toThrow();
  await expect(openSealed(bank.tenantId, one.keyId, "server:1", one.sealed)).rejects.toThrow(/no data key/);
  await expect(openSealed(clinic.tenantId, one.keyId, "server:1", foreign.sealed)).rejects.toThrow();
  const bent = Buffer.from(one.sealed);
  bent.writeUInt8(bent.readUInt8(14) ^ 1, 14);
  await expect(openSealed(clinic.tenantId, one.keyId, "server:1", bent)).rejects.toThrow();
  await expect(openSealed(clinic.tenantId, one.keyId, "server:1", randomBytes(8))).rejects.toThrow(/too short/);
});

it("makes one first key however many ask at once", async () => {
  const { tenantId } = await createTestTenant();
  const asked = Array.from({ length: 12 }, () => {
    forgetKeys();
    return seal(tenantId, "payload", "x", plain);
  });
  const ids = new Set((await Promise.all(asked)).map(({ keyId }) => keyId));
  expect(ids.size).toBe(1);
  expect(await inTenant(tenantId, (tx) => tx.tenantKey.count())).toBe(1);
});

it("answers at once when warm, with null when cold, also for the platform's chain", async () => {
  expect(sealNow(PLATFORM_TENANT_ID, "payload", "e1", plain)).toBeNull();
  await warmKey(PLATFORM_TENANT_ID, "payload");
  const now = sealNow(PLATFORM_TENANT_ID, "payload", "e1", plain);
  expect(now).not.toBeNull();
  if (now !== null) expect(await openSealed(PLATFORM_TENANT_ID, now.keyId, "e1", now.sealed)).toEqual(plain);
});

it("stores keys wrapped, and says which master key is missing", async () => {
  const { tenantId } = await createTestTenant();
  await warmKey(tenantId, "payload");
  const [row] = await inTenant(tenantId, (tx) => tx.tenantKey.findMany());
  expect(row?.wrapped).toHaveLength(12 + 32 + 16);
  forgetKeys();
  resetSingleton("db.process-secrets");
  singleton("db.process-secrets", () => ({ masterKeyId: "k9", masterKey: randomBytes(32), nextAuthSecret: "" }));
  await expect(seal(tenantId, "payload", "x", plain)).rejects.toThrow(
    /wrapped by master key test, this process has k9/,
  );
  resetSingleton("db.process-secrets");
});
