import pg from "pg";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { holdProcessLock } from "@/lib/audit/process-lock";
import { isAppError } from "@/lib/core/errors";
import { pool } from "@/lib/db/client";
import { inPlatform } from "@/lib/db/in-tenant";
import { closeDatabase, openDatabase } from "@/lib/db/open-database";
import { platformSql } from "@/lib/db/sql";
import { env } from "@/lib/env";
import { openSilenceableWay } from "@/lib/testing/silenceable-way";

let direct: pg.Client;
let way: Awaited<ReturnType<typeof openSilenceableWay>>;
beforeAll(async () => {
  direct = new pg.Client({ connectionString: env().DATABASE_URL });
  await direct.connect();
  way = await openSilenceableWay();
  await openDatabase();
});
afterAll(async () => {
  await closeDatabase();
  way.close();
  await direct.end();
});

const codeOf = (cause: unknown): unknown => (isAppError(cause) ? cause.code : cause);

it("fails what waits at a host that was lost, and lets a statement be that takes its time", async () => {
  let lose = (): void => undefined;
  const lost = new Promise<void>((resolve) => {
    lose = resolve;
  });
  let begun = 0;
  const begin = () => {
    begun += 1;
    return lost;
  };
  const raw = platformSql(async (client) => {
    await client.query("select 1");
    await begin();
    await client.query("select 2");
  }).catch(codeOf);
  const prisma = inPlatform(async (tx) => {
    await tx.tenant.count();
    await begin();
    await tx.tenant.count();
  }).catch(codeOf);
  const onTakenAgain = vi.fn();
  const lock = await holdProcessLock("4713", onTakenAgain);
  await expect.poll(() => begun, { timeout: 20_000 }).toBe(2);
  // One at rest besides.
  await pool().query("select 1");
  way.loseOpen();
  lock.beat();
  // Whoever was at the other end is no more; of the one at rest it is, and waits for what never comes.
  await direct.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()
       and (state = 'idle in transaction' or application_name = 'countersign lock')`,
  );
  lose();
  const unheard = pool()
    .query("select 1")
    .catch((cause: { code?: string }) => cause.code);
  await expect.poll(() => pool().idleCount).toBe(0);
  const slow = Promise.all([
    platformSql((client) => client.query("select pg_sleep(6)")).then(() => "done"),
    inPlatform((tx) => tx.$queryRaw`select pg_sleep(6)::text`).then(() => "done"),
  ]);
  const at = performance.now();
  expect(await Promise.all([raw, prisma])).toEqual(["unavailable", "unavailable"]);
  expect(performance.now() - at).toBeLessThan(15_000);
  expect(await slow).toEqual(["done", "done"]);
  await expect.poll(() => onTakenAgain.mock.calls.length, { timeout: 10_000 }).toBe(1);
  await lock.release();
  expect(await unheard).toBe("08006");
  // Neither kept its place.
  const all = Array.from({ length: 24 }, () => platformSql((client) => client.query("select pg_sleep(0.1)")));
  expect(await Promise.all(all)).toHaveLength(24);
}, 60_000);
