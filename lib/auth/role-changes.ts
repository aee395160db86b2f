import "server-only";
import type { PlatformTx, TenantTx } from "@/lib/db/in-tenant";

/**
 * Changes of who may do what in one tenant happen one after the other, until the end of the transaction: two admins must not
 * demote each other at once, and no role is given while it is being deleted.
 */
export async function oneAtATime(tx: TenantTx | PlatformTx, tenantId: string): Promise<void> {
  await tx.$executeRaw`select pg_advisory_xact_lock(hashtextextended(${`members:${tenantId}`}, 0))`;
}
