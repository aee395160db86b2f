import { beforeAll, describe, expect, it } from "vitest";
import { newId } from "@/lib/core/ids";
import { pool } from "@/lib/db/client";
import { inTenant } from "@/lib/db/in-tenant";
import { dropOldFigures } from "@/lib/db/partitions";
import { tenantSql } from "@/lib/db/sql";
import { type FinishedCall, makeCallCells } from "@/lib/metrics/call-cells";
import { type Figures, type FiguresQuery, readErrors, readFigures, readRolledUp } from "@/lib/metrics/figures";
import { rollUpRound, rollUpTenant } from "@/lib/metrics/roll-up";
import { DAY_MS, HOUR_MS, MINUTE_MS, type RolledUp } from "@/lib/metrics/segments";
import { storeCells } from "@/lib/metrics/store-cells";
import { SPREADS, seeded } from "@/lib/testing/durations";
import { createTestTenant } from "@/lib/testing/factories";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const NOW = Math.floor(Date.now() / DAY_MS) * DAY_MS + 13 * HOUR_MS + 44 * MINUTE_MS;
const START = NOW - 4 * DAY_MS;
const NOTHING: RolledUp = { hours: 0, days: 0 };

beforeAll(() =>
  pool().query("select ensure_call_partitions($1::date, $2::date)", [new Date(START - DAY_MS), new Date(NOW)]),
);

type Made = { readonly tenantId: string; readonly durations: number[] };

const finished = (tenantId: string, at: number, over: Partial<FinishedCall> = {}): FinishedCall => ({
  ...{ tenantId, ts: new Date(at).toISOString(), server: "files", tool: "read", caller: "a", callerName: "A" },
  ...{ fate: "finished", outcome: "success", code: null, durationMs: 10, upstreamMs: 8, queueMs: 0, fromCache: false },
  ...{ policyMs: 1, auditMs: 1, outcomeMs: 2 },
  ...over,
});

/** Calls of four days, counted by two processes. */
async function fourDays(spread: string, calls: number): Promise<Made> {
  const { tenantId } = await createTestTenant();
  const random = seeded(calls);
  const draw = SPREADS[spread] ?? (() => 1);
  const processes = [makeCallCells(), makeCallCells()];
  const durations: number[] = [];
  for (let index = 0; index < calls; index += 1) {
    const at = START + Math.floor((random() * (NOW - START)) / MINUTE_MS) * MINUTE_MS;
    const failed = random() < 0.1;
    const durationMs = Math.round(draw(random) * 1_000) / 1_000;
    const outcome = failed
      ? { outcome: "failure" as const, code: random() < 0.5 ? "upstream_timeout" : "tool_error" }
      : {};
    const where = { server: random() < 0.7 ? "files" : "notes", tool: random() < 0.5 ? "read" : "write" };
    processes[index % 2]?.add(finished(tenantId, at, { ...where, ...outcome, durationMs, caller: `c${index % 3}` }));
    durations.push(durationMs);
  }
  for (const cells of processes) await storeCells(tenantId, cells.dirty());
  return { tenantId, durations: durations.sort((left, right) => left - right) };
}

const LEVELS: readonly Pick<FiguresQuery, "level" | "by">[] = [
  { level: "tenant" },
  { level: "server", by: ["server"] },
  { level: "tool", by: ["server", "tool"] },
  { level: "caller", by: ["caller"] },
];

async function everything(tenantId: string, rolled: RolledUp | null, from = START, to = NOW) {
  return inTenant(tenantId, async (tx) => {
    const found: unknown[] = [];
    const known = rolled ?? (await readRolledUp(tx, tenantId));
    for (const each of LEVELS) {
      const query = { tenantId, from, to, ...each };
      found.push((await readFigures(tx, known, query)).map(comparable), await readErrors(tx, known, query));
    }
    found.push(
      (await readFigures(tx, known, { tenantId, from, to, level: "tenant", bucketMs: DAY_MS })).map(comparable),
    );
    return found;
  });
}

/** Sums of fractions depend on the order they were added in. */
const comparable = (figures: Figures) => ({
  ...figures,
  totalMs: figures.totalMs.toFixed(3),
  upstreamMs: figures.upstreamMs.toFixed(3),
});

const hoursOf = (tenantId: string): Promise<number> =>
  tenantSql(tenantId, async (client) => {
    const { rows } = await client.query<{ n: number }>(
      "select coalesce(sum(calls), 0)::int as n from call_hours where tenant_id = $1 and level = 0",
      [tenantId],
    );
    return rows[0]?.n ?? 0;
  });

describe("hours and days", () => {
  it("say the same as the minutes they were made of, for any window and level", async () => {
    const { tenantId } = await fourDays("log-normal", 1_000);
    const windows = [
      [START, NOW],
      [START + 95 * MINUTE_MS, NOW - 3 * HOUR_MS],
      [NOW - 25 * HOUR_MS, NOW - 61 * MINUTE_MS],
    ] as const;
    const before = [];
    for (const [from, to] of windows) before.push(await everything(tenantId, NOTHING, from, to));
    expect(await rollUpTenant(tenantId, NOW)).toBe(true);
    const rolled = await inTenant(tenantId, (tx) => readRolledUp(tx, tenantId));
    expect(rolled).toEqual({ hours: NOW - 44 * MINUTE_MS, days: NOW - 44 * MINUTE_MS - 13 * HOUR_MS });
    for (const [index, [from, to]] of windows.entries()) {
      expect(await everything(tenantId, null, from, to)).toEqual(before[index]);
    }
  });

  it.each(["bimodal", "log-normal with outliers"])(
    "percentiles over them are within one percent: %s",
    async (spread) => {
      const { tenantId, durations } = await fourDays(spread, 1_000);
      await rollUpTenant(tenantId, NOW);
      const [total] = await inTenant(tenantId, async (tx) =>
        readFigures(tx, await readRolledUp(tx, tenantId), { tenantId, from: START, to: NOW, level: "tenant" }),
      );
      expect(total?.reached).toBe(durations.length);
      for (const [p, told] of [
        [0.5, total?.p50],
        [0.95, total?.p95],
        [0.99, total?.p99],
      ] as const) {
        const exact = durations[Math.ceil(p * durations.length) - 1] ?? Number.NaN;
        expect(Math.abs((told ?? Number.NaN) - exact) / exact).toBeLessThanOrEqual(0.01);
      }
      expect([total?.minMs, total?.maxMs]).toEqual([durations[0], durations.at(-1)]);
    },
  );

  it("are made again, and not twice: what was stored late is in them after the next hour", async () => {
    const { tenantId } = await createTestTenant();
    const cells = makeCallCells();
    const hour = NOW - 44 * MINUTE_MS;
    cells.add(finished(tenantId, hour - 30 * MINUTE_MS));
    await storeCells(tenantId, cells.dirty());
    await rollUpTenant(tenantId, NOW);
    expect(await hoursOf(tenantId)).toBe(1);
    const late = makeCallCells();
    late.add(finished(tenantId, hour - 20 * MINUTE_MS));
    await storeCells(tenantId, late.dirty());
    await rollUpTenant(tenantId, NOW + 2 * MINUTE_MS);
    expect(await hoursOf(tenantId)).toBe(1);
    await rollUpTenant(tenantId, NOW + HOUR_MS);
    expect(await hoursOf(tenantId)).toBe(2);
    await rollUpTenant(tenantId, NOW + 2 * HOUR_MS);
    expect(await hoursOf(tenantId)).toBe(2);
  });

  it("are made by one process of several", async () => {
    const { tenantId } = await fourDays("uniform", 200);
    const turns = await Promise.all(Array.from({ length: 6 }, () => rollUpTenant(tenantId, NOW)));
    expect(turns.filter(Boolean)).toHaveLength(1);
    expect(await rollUpTenant(tenantId, NOW + 30_000)).toBe(false);
    expect(await everything(tenantId, null)).toEqual(await everything(tenantId, NOTHING));
  });

  it("are made for every tenant in a round", async () => {
    const made = await fourDays("uniform", 50);
    expect(await rollUpRound(NOW)).toMatchObject({ failed: 0 });
    expect(await hoursOf(made.tenantId)).toBeGreaterThan(0);
  });
});

describe("what is old", () => {
  it("goes by whole partitions, and nothing else goes", async () => {
    const { tenantId } = await createTestTenant();
    const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    const old = today - 20 * DAY_MS;
    await pool().query("select ensure_call_partitions($1::date, $2::date)", [new Date(old), new Date(old)]);
    const cells = makeCallCells();
    for (const at of [old, today - DAY_MS, today]) cells.add(finished(tenantId, at, { caller: newId() }));
    await storeCells(tenantId, cells.dirty());
    const days = () =>
      tenantSql(tenantId, async (client) => {
        const { rows } = await client.query<{ at: Date }>(
          "select at from call_minutes where tenant_id = $1 and level = 0 order by at",
          [tenantId],
        );
        return rows.map(({ at }) => at.getTime());
      });
    expect(await days()).toEqual([old, today - DAY_MS, today]);
    expect(await dropOldFigures(pool())).toBeGreaterThan(0);
    expect(await days()).toEqual([today - DAY_MS, today]);
    expect(await dropOldFigures(pool())).toBe(0);
  });
});
