import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { perform } from "@/lib/audit/perform";
import { searchEntries } from "@/lib/audit/search-entries";
import { pool } from "@/lib/db/client";
import { readCircuits } from "@/lib/metrics/read-circuits";
import { readHealth } from "@/lib/metrics/read-health";
import { readOverview } from "@/lib/metrics/read-overview";
import { readPools } from "@/lib/metrics/read-pools";
import { readSeries } from "@/lib/metrics/read-series";
import { readStatistics } from "@/lib/metrics/read-statistics";
import { createTestTenant, type TestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let tenant: TestTenant;
let holder: pg.PoolClient;

beforeAll(async () => {
  tenant = await createTestTenant();
  await perform(readHealth, tenant.ctx(), {});
  holder = await pool().connect();
});
afterAll(() => holder.release());

/** Nobody else reads a table of the trail while this runs. Whatever plan would touch one waits. */
async function withTrailLocked<T>(run: () => Promise<T>): Promise<T> {
  await holder.query("begin; lock table audit_entries in access exclusive mode");
  try {
    return await run();
  } finally {
    await holder.query("rollback");
  }
}

/** How many wait for the trail's tables. */
async function waiting(): Promise<number> {
  const { rows } = await pool().query<{ n: number }>(
    `select count(*)::int as n from pg_locks
      where not granted and database = (select oid from pg_database where datname = current_database())
        and relation in (select oid from pg_class where relname like 'audit_entries%')`,
  );
  return rows[0]?.n ?? 0;
}

const ASKS: Readonly<Record<string, () => Promise<unknown>>> = {
  overview: () => perform(readOverview, tenant.ctx(), { range: "30d" }),
  "one server": () => perform(readOverview, tenant.ctx(), { range: "24h", server: "files" }),
  "by server": () => perform(readStatistics, tenant.ctx(), { by: "server", range: "7d" }),
  "by tool": () => perform(readStatistics, tenant.ctx(), { by: "tool", range: "30d" }),
  "by caller": () => perform(readStatistics, tenant.ctx(), { by: "caller" }),
  series: () => perform(readSeries, tenant.ctx(), { server: "files", range: "24h" }),
  circuits: () => perform(readCircuits, tenant.ctx(), { range: "30d" }),
  pools: () => perform(readPools, tenant.ctx(), {}),
  health: () => perform(readHealth, tenant.ctx(), {}),
};

describe("the figures behind a page", () => {
  it.each(Object.keys(ASKS))("%s: are read without touching the trail", async (name) => {
    await withTrailLocked(async () => {
      const ended = { yet: false };
      const asked = (ASKS[name]?.() ?? Promise.reject(new Error(name))).finally(() => {
        ended.yet = true;
      });
      await expect.poll(async () => ended.yet || (await waiting()) > 0, { timeout: 30_000 }).toBe(true);
      expect(await waiting()).toBe(0);
      await asked;
    });
  });

  it("and what does read the trail is seen to wait for it", async () => {
    const searched = await withTrailLocked(async () => {
      const asked = perform(searchEntries, tenant.ctx(), {});
      await expect.poll(waiting, { timeout: 15_000 }).toBeGreaterThan(0);
      return { asked };
    });
    await searched.asked;
  });
});
