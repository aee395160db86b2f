import "server-only";
import { AppError } from "@/lib/core/errors";
import { isUuid, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { prisma } from "@/lib/db/client";
import { orUnavailable } from "@/lib/db/lost-connection";
import type { Prisma } from "@/lib/generated/prisma/client";

declare const scoped: unique symbol;

/** A transaction that can reach one tenant's rows only. Nothing but `inTenant` makes one. */
export type TenantTx = Prisma.TransactionClient & { readonly [scoped]: "tenant" };

/** A transaction over people, sessions and tenants, and read-only over who belongs where. */
export type PlatformTx = Prisma.TransactionClient & { readonly [scoped]: "platform" };

const LIMITS = { maxWait: 5_000, timeout: 20_000 };

/** Runs `run` in one transaction as the tenant's runtime role; row security shows it that tenant and no other. */
export async function inTenant<T>(tenantId: string, run: (tx: TenantTx) => Promise<T>): Promise<T> {
  return transact("countersign_tenant", tenantId, (tx) => run(tx as TenantTx));
}

/**
 * Runs `run` in one transaction as the platform's runtime role.
 * It may append to one chain: the platform's own, until `enterChain` names another.
 */
export async function inPlatform<T>(run: (tx: PlatformTx) => Promise<T>): Promise<T> {
  return transact("countersign_platform", PLATFORM_TENANT_ID, (tx) => run(tx as PlatformTx));
}

/** Points a platform transaction at another tenant's chain, e.g. when an invitation is accepted there. */
export async function enterChain(tx: PlatformTx, tenantId: string): Promise<void> {
  requireUuid(tenantId);
  await tx.$executeRaw`select set_config('app.tenant_id', ${tenantId}, true)`;
}

const kept = new WeakMap<object, (() => void)[]>();

/** Has something done once what this transaction wrote holds; never where it is rolled back. */
export function onCommit(tx: TenantTx | PlatformTx, act: () => void): void {
  kept.set(tx, [...(kept.get(tx) ?? []), act]);
}

async function transact<T>(
  role: "countersign_tenant" | "countersign_platform",
  tenantId: string,
  run: (tx: Prisma.TransactionClient) => Promise<T>,
): Promise<T> {
  requireUuid(tenantId);
  let acts: readonly (() => void)[] = [];
  try {
    const result = await prisma().$transaction(async (tx) => {
      await tx.$executeRaw`select set_config('role', ${role}, true), set_config('app.tenant_id', ${tenantId}, true)`;
      const done = await run(tx);
      acts = kept.get(tx) ?? [];
      return done;
    }, LIMITS);
    for (const act of acts) act();
    return result;
  } catch (cause) {
    throw orUnavailable(cause);
  }
}

/** A wrong id would see nothing anyway; refusing it here names the mistake. */
export function requireUuid(tenantId: string): void {
  if (!isUuid(tenantId)) throw new AppError("internal", "A tenant id is malformed.");
}
