import { afterAll, beforeAll, expect, it } from "vitest";
import { tenantSql } from "@/lib/db/sql";
import { bundleServer, gone } from "@/lib/testing/door-processes";
import { keepCalling, openSeveralDoors } from "@/lib/testing/several-doors";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const closers: (() => Promise<unknown> | unknown)[] = [];
let several: Awaited<ReturnType<typeof openSeveralDoors>>;

beforeAll(async () => {
  const { entry, remove } = await bundleServer();
  closers.push(remove);
  several = await openSeveralDoors({ entry, redisUrl: undefined });
  closers.push(several.close);
});
afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function rowsOf(sql: string): Promise<readonly Record<string, unknown>[]> {
  const { tenantId } = several.tenant;
  const { rows } = await tenantSql(tenantId, (client) => client.query<Record<string, unknown>>(sql, [tenantId]));
  return rows;
}

const COUNTS = "calls successes failures denied reached".split(" ");
const STORED = `select at, ${COUNTS.map((name) => `sum(${name})::int as ${name}`).join(", ")}
  from call_minutes where tenant_id = $1 and level = 0 group by at order by at`;
const TRAIL = `select date_trunc('minute', ts) as at, count(*)::int as calls,
    count(*) filter (where outcome = 'success')::int as successes,
    count(*) filter (where outcome = 'failure')::int as failures,
    count(*) filter (where outcome = 'denied')::int as denied,
    count(*) filter (where event_type = 'tool_call.finished')::int as reached
  from audit_entries where tenant_id = $1 and phase = 'outcome' and starts_with(event_type, 'tool_call.')
  group by 1 order by 1`;

it("the figures of two processes are together the trail's, minute by minute and to the call", async () => {
  const load = keepCalling(several.doors, 16);
  await load.reach(120);
  several.setFault("is-error");
  await load.reach(40);
  several.setFault("none");
  await load.reach(60);
  const calls = await load.stop();
  expect(new Set(calls.map(({ door }) => door))).toEqual(new Set([0, 1]));
  // Each of them stores what it has counted when it stops.
  for (const { child } of several.doors) child.kill("SIGTERM");
  for (const { child } of several.doors) await gone(child);
  const stored = await rowsOf(STORED);
  expect(stored).toEqual(await rowsOf(TRAIL));
  const total = (name: string) => stored.reduce((sum, row) => sum + Number(row[name]), 0);
  expect(total("calls")).toBeGreaterThanOrEqual(calls.filter(({ called }) => called.entry !== undefined).length);
  expect(total("failures")).toBeGreaterThan(0);
  const [cells] = await rowsOf(
    "select count(*)::int as n, count(distinct at)::int as minutes from call_minutes where tenant_id = $1 and level = 0",
  );
  // One row of each process in a minute, which is how we know that both have counted.
  expect(Number(cells?.["n"])).toBeGreaterThan(Number(cells?.["minutes"]));
});
