import "server-only";
import type { PoolClient } from "pg";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { pool } from "@/lib/db/client";
import { dropOldFigures } from "@/lib/db/partitions";
import { platformSql, tenantSql } from "@/lib/db/sql";
import { closeOrphanedCircuits, dropOldCircuitChanges } from "@/lib/metrics/circuit-upkeep";
import { refreshDeploys } from "@/lib/metrics/deploys";
import { rollUpSql } from "@/lib/metrics/roll-up-sql";

const ROUND_EVERY_MS = 20_000;

// Whoever moves the turn on has it. Nobody waits for a tenant that another process is at.
const CLAIM = `with mine as (
    select tenant_id from call_rollups where tenant_id = $1 and next_at <= $2 for update skip locked
  )
  update call_rollups r set next_at = $2::timestamptz + interval '1 minute' from mine where r.tenant_id = mine.tenant_id
  returning r.hours_until as "hoursUntil", r.days_until as "daysUntil"`;
const OPEN = "insert into call_rollups (tenant_id, next_at) values ($1, $2) on conflict do nothing";
const OLDEST =
  "select date_trunc('hour', min(at), 'UTC') as oldest from call_minutes where tenant_id = $1 and level = 0";
const KEEP = "update call_rollups set hours_until = $2, days_until = $3 where tenant_id = $1";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A minute's last calls are stored seconds after it; an hour is closed this long after its end. */
const SETTLE_MS = 90_000;

type Until = { readonly hoursUntil: Date; readonly daysUntil: Date };

/**
 * Makes hours of minutes that are over, and days of hours, for one tenant; false where it was not its turn. The last hour and
 * day are made once more each time, so that what was stored late is in them: making one twice gives the same.
 */
export async function rollUpTenant(tenantId: string, now = Date.now()): Promise<boolean> {
  return tenantSql(tenantId, async (client) => {
    const at = new Date(now);
    await client.query(OPEN, [tenantId, at]);
    const { rows } = await client.query<Until>(CLAIM, [tenantId, at]);
    const [until] = rows;
    if (until === undefined) return false;
    await rollOn(client, tenantId, until, now);
    return true;
  });
}

async function rollOn(client: PoolClient, tenantId: string, until: Until, now: number): Promise<void> {
  const hoursUntil = floor(now - SETTLE_MS, HOUR_MS);
  if (until.hoursUntil.getTime() >= hoursUntil) return;
  const { rows } = await client.query<{ oldest: Date | null }>(OLDEST, [tenantId]);
  const oldest = rows[0]?.oldest?.getTime() ?? hoursUntil;
  // Hours whose minutes are gone by now stay as they are.
  const fromHour = Math.max(oldest, until.hoursUntil.getTime() - HOUR_MS);
  if (fromHour < hoursUntil) await rollUp(client, tenantId, "hour", fromHour, hoursUntil);
  const daysUntil = floor(hoursUntil - HOUR_MS, DAY_MS);
  const fromDay = Math.max(floor(oldest, DAY_MS), until.daysUntil.getTime() - DAY_MS);
  const isDayOver = until.daysUntil.getTime() < daysUntil;
  if (isDayOver && fromDay < daysUntil) await rollUp(client, tenantId, "day", fromDay, daysUntil);
  const days = new Date(isDayOver ? daysUntil : until.daysUntil.getTime());
  await client.query(KEEP, [tenantId, new Date(hoursUntil), days]);
}

async function rollUp(client: PoolClient, tenantId: string, unit: "hour" | "day", from: number, to: number) {
  const { clear, fill } = rollUpSql(unit);
  const values = [tenantId, new Date(from), new Date(to)];
  await client.query(clear, values);
  await client.query(fill, values);
}

const floor = (time: number, unit: number): number => Math.floor(time / unit) * unit;

export type Round = { readonly tenants: number; readonly failed: number };

/** Gives every tenant its turn; one that fails does not stop the others. */
export async function rollUpRound(now = Date.now(), isStopping = () => false): Promise<Round> {
  const { rows } = await platformSql((client) => client.query<{ id: string }>("select id from tenants order by id"));
  let tenants = 0;
  let failed = 0;
  for (const { id } of rows) {
    if (isStopping()) break;
    try {
      if (!(await rollUpTenant(id, now))) continue;
      tenants += 1;
      await closeOrphanedCircuits(id, now);
    } catch (cause) {
      failed += 1;
      logger.warn({ err: cause, tenantId: id }, "figures were not summed up; trying again");
    }
  }
  return { tenants, failed };
}

type Loop = { timer: NodeJS.Timeout | null; round: Promise<unknown>; stopped: boolean; droppedAt: number };
const loop = singleton(
  "metrics.roll-up",
  (): Loop => ({ timer: null, round: Promise.resolve(), stopped: true, droppedAt: Number.NEGATIVE_INFINITY }),
);

/** What is old goes only after a round in which everything was summed up. */
async function roundAndRetention(): Promise<void> {
  await refreshDeploys();
  const { failed } = await rollUpRound(Date.now(), () => loop.stopped);
  if (failed > 0 || loop.stopped || performance.now() - loop.droppedAt < HOUR_MS) return;
  const dropped = await dropOldFigures(pool());
  await dropOldCircuitChanges();
  loop.droppedAt = performance.now();
  if (dropped > 0) logger.info({ dropped }, "figures that were old enough were removed");
}

/** Starts summing up; once per process. */
export function startRollUps(): void {
  if (!loop.stopped) return;
  loop.stopped = false;
  const turn = () => {
    loop.round = roundAndRetention()
      .catch((cause: unknown) => logger.warn({ err: cause }, "the figures could not be kept in order; trying again"))
      .finally(again);
  };
  const again = () => {
    if (loop.stopped) return;
    loop.timer = setTimeout(turn, ROUND_EVERY_MS * (0.8 + 0.4 * Math.random())).unref();
  };
  again();
}

/** Stops, and waits for the tenant that is being summed up. */
export async function stopRollUps(): Promise<void> {
  loop.stopped = true;
  if (loop.timer !== null) clearTimeout(loop.timer);
  loop.timer = null;
  await loop.round;
}
