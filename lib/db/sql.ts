import "server-only";
import type { PoolClient } from "pg";
import { AppError } from "@/lib/core/errors";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { pool } from "@/lib/db/client";
import { requireUuid } from "@/lib/db/in-tenant";
import { orUnavailable, orUnreachable } from "@/lib/db/lost-connection";

/**
 * For what calls wait for. It takes milliseconds; where the database has not said a word for so long, the connection may lead
 * nowhere, as after a host was lost, and TCP would take a quarter of an hour to notice.
 */
export const CALLS_WAIT_MS = 5_000;

/**
 * A raw transaction as the tenant's runtime role: two round trips besides the caller's own statements. With `patienceMs` it
 * fails, and its connection ends, when it takes longer.
 */
export async function tenantSql<T>(
  tenantId: string,
  run: (client: PoolClient) => Promise<T>,
  patienceMs?: number,
): Promise<T> {
  return transact("countersign_tenant", tenantId, run, patienceMs);
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
  patienceMs?: number,
): Promise<T> {
  return transact("countersign_platform", tenantId, run, patienceMs);
}

async function transact<T>(
  role: string,
  tenantId: string,
  run: (client: PoolClient) => Promise<T>,
  patienceMs: number | undefined,
): Promise<T> {
  requireUuid(tenantId);
  const client = await pool()
    .connect()
    .catch((cause: unknown) => {
      throw orUnreachable(cause);
    });
  const patience = patienceMs === undefined ? null : endAfter(client, patienceMs);
  try {
    // One simple query, so that opening costs one round trip. Both values are ours: a constant and a checked uuid.
    await client.query(
      `begin; select set_config('role', '${role}', true), set_config('app.tenant_id', '${tenantId}', true)`,
    );
    const result = await run(client);
    const ended = await client.query("commit");
    // PostgreSQL answers a commit after a failed statement with ROLLBACK and no error.
    if (ended.command !== "COMMIT") throw new Error("The transaction was rolled back: a statement in it had failed.");
    patience?.keep();
    client.release();
    return result;
  } catch (cause) {
    patience?.keep();
    if (patience?.hasEnded() === true) throw new AppError("unavailable", SILENT, { retryAfterMs: 1_000 }, cause);
    await giveBack(client);
    throw orUnavailable(cause);
  }
}

const SILENT = "The database does not answer.";

/** Takes the connection out of the pool after that time, which cuts it where a question is under way. */
function endAfter(client: PoolClient, ms: number) {
  let ended = false;
  const timer = setTimeout(() => {
    ended = true;
    client.release(new Error(SILENT));
  }, ms);
  return { keep: () => clearTimeout(timer), hasEnded: () => ended };
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
