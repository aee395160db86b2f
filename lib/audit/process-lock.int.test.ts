import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { expect, it, vi } from "vitest";
import { holdProcessLock } from "@/lib/audit/process-lock";
import { databaseUrl, pool } from "@/lib/db/client";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

/** Takes the lock away from whoever holds it, and keeps it. */
async function takeAway(key: string): Promise<pg.Client> {
  const other = new pg.Client({ connectionString: databaseUrl() });
  await other.connect();
  const took = other.query("select pg_advisory_lock($1::bigint)", [key]);
  await pool().query(
    "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted and objid::bigint = $1::bigint",
    [key],
  );
  await took;
  return other;
}

it("tells when the lock was taken again, but not a process that has ended meanwhile", async () => {
  for (const [key, ends] of [
    ["4711", false],
    ["4712", true],
  ] as const) {
    const onTakenAgain = vi.fn();
    const lock = await holdProcessLock(key, onTakenAgain);
    const other = await takeAway(key);
    // It waits for the other by now.
    await delay(1_000);
    if (ends) await lock.release();
    await other.end();
    await delay(1_000);
    expect(onTakenAgain).toHaveBeenCalledTimes(ends ? 0 : 1);
    await lock.release();
  }
});
