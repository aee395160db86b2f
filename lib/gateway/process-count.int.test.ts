import { afterAll, expect, it } from "vitest";
import { processCount } from "@/lib/audit/process-count";
import { holdProcessLock } from "@/lib/audit/process-lock";
import { newId } from "@/lib/core/ids";
import { openDatabase } from "@/lib/db/open-database";
import { platformSql } from "@/lib/db/sql";
import { boot, shutdown } from "@/lib/gateway/boot";

afterAll(() => shutdown());

it("a process that begins knows of the others before its first call: it has its share of each limit, and not the whole", async () => {
  await openDatabase();
  const lock = await holdProcessLock("42", () => undefined);
  const other = `insert into gateway_processes (id, lock_key, version, started_at, last_seen_at, open_since)
    values ($1::uuid, 42, 'test', now(), now() + interval '1 minute', now())`;
  await platformSql((client) => client.query(other, [newId()]));
  await boot();
  expect(processCount()).toBe(2);
  await lock.release();
});
