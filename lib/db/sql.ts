import "server-only";
import type { PoolClient } from "pg";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { pool } from "@/lib/db/client";
import { requireUuid } from "@/lib/db/in-tenant";
import { orUnavailable, orUnreachable } from "@/lib/db/lost-connection";

/** A raw transaction as the tenant's runtime role: two round trips besides the caller's own statements. */
export async function tenantSql<T>(tenantId: string, run: (client: PoolClient) => Promise<T>): Promise<T> {
  return transact("countersign_tenant", tenantId, run);
}

/**
 * What statements that we write ourselves need of a tenant's transaction. Prisma's has it, and so has `tenantRaw`, which
 * needs nothing of Prisma: its engine is 75 MB that a process without the console can do without.
 */
export type RawTx = { readonly $queryRawUnsafe: <T = unknown>(text: string, ...values: unknown[]) => Promise<T> };

/** `tenantSql` for those who do not mind which of the two they are given. */
export const tenantRaw = <T>(tenantId: string, run: (tx: RawTx) => Promise<T>): Promise<T> =>
  tenantSql(tenantId, (client) =>
    run({
      $queryRawUnsafe: async <R>(text: string, ...values: unknown[]) => (await client.query(text, values)).rows as R,
    }),
  );

/** A raw transaction as the platform's runtime role, on the platform's own chain unless `tenantId` names another. */
export async function platformSql<T>(
  run: (client: PoolClient) => Promise<T>,
  tenantId: string = PLATFORM_TENANT_ID,
): Promise<T> {
  return transact("countersign_platform", tenantId, run);
}

async function transact<T>(role: string, tenantId: string, run: (client: PoolClient) => Promise<T>): Promise<T> {
  requireUuid(tenantId);
  const client = await pool()
    .connect()
    .catch((cause: unknown) => {
      throw orUnreachable(cause);
    });
  try {
    // One simple query, so that opening costs one round trip. Both values are ours: a constant and a checked uuid.
    await client.query(
      `begin; select set_config('role', '${role}', true), set_config('app.tenant_id', '${tenantId}', true)`,
    );
    const result = await run(client);
    const ended = await client.query("commit");
    // PostgreSQL answers a commit after a failed statement with ROLLBACK and no error.
    if (ended.command !== "COMMIT") throw new Error("The transaction was rolled back: a statement in it had failed.");
    client.release();
    return result;
  } catch (cause) {
    await giveBack(client);
    throw orUnavailable(cause);
  }
}

/** A session whose transaction could not be undone still has a role and a tenant: it must not be used again. */
async function giveBack(client: PoolClient): Promise<void> {
  try {
    await client.query("rollback");
    client.release();
  } catch (cause) {
    client.release(cause instanceof Error ? cause : true);
  }
}
