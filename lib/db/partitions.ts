import type pg from "pg";
import { logger } from "@/lib/core/logger";
import { env } from "@/lib/env";

const DAY_MS = 86_400_000;
const RETRY_MS = 600_000;

/** Removes figures that are older than they are kept. Only what has been summed up may go: the roll-up asks for this. */
export async function dropOldFigures(db: Pick<pg.Pool, "query">): Promise<number> {
  const { METRICS_MINUTE_DAYS, METRICS_HOUR_DAYS, METRICS_DAY_DAYS } = env();
  const kept = { call_minutes: METRICS_MINUTE_DAYS, call_hours: METRICS_HOUR_DAYS, call_days: METRICS_DAY_DAYS };
  let dropped = 0;
  for (const [table, days] of Object.entries(kept)) {
    const { rows } = await db.query<{ dropped: number }>(
      "select drop_call_partitions($1, (now() at time zone 'utc')::date - $2::int) as dropped",
      [table, days],
    );
    dropped += rows[0]?.dropped ?? 0;
  }
  return dropped;
}

/** Figures of yesterday may still be stored; tomorrow's must not wait for us. */
const FIGURES = `select ensure_call_partitions((now() at time zone 'utc' - interval '1 day')::date,
                                               (now() at time zone 'utc' + interval '2 days')::date) as made`;

/** Makes sure that entries have a place from two months back to three months ahead, and figures too. Runs as the owner. */
export async function ensurePartitions(db: Pick<pg.Pool, "query">): Promise<number> {
  const { rows } = await db.query<{ made: number }>(
    `select ensure_audit_partitions((now() at time zone 'utc' - interval '2 months')::date,
                                    (now() at time zone 'utc' + interval '3 months')::date) as made`,
  );
  const figures = await db.query<{ made: number }>(FIGURES);
  return (rows[0]?.made ?? 0) + (figures.rows[0]?.made ?? 0);
}

/** Repeats it daily; an attempt that fails is repeated sooner. Returns the function that stops it. */
export function keepPartitions(db: Pick<pg.Pool, "query">): () => void {
  let timer = setTimeout(again, DAY_MS);
  timer.unref();
  function schedule(delay: number): void {
    timer = setTimeout(again, delay);
    timer.unref();
  }
  function again(): void {
    ensurePartitions(db).then(
      () => schedule(DAY_MS),
      (cause: unknown) => {
        logger.error({ err: cause }, "the partitions could not be extended; trying again in ten minutes");
        schedule(RETRY_MS);
      },
    );
  }
  return () => clearTimeout(timer);
}
