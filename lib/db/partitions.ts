import type pg from "pg";
import { logger } from "@/lib/core/logger";

const DAY_MS = 86_400_000;
const RETRY_MS = 600_000;

/** Makes sure the trail has a place for entries from two months back to three months ahead. Runs as the owner. */
export async function ensurePartitions(db: Pick<pg.Pool, "query">): Promise<number> {
  const { rows } = await db.query<{ made: number }>(
    `select ensure_audit_partitions((now() at time zone 'utc' - interval '2 months')::date,
                                    (now() at time zone 'utc' + interval '3 months')::date) as made`,
  );
  return rows[0]?.made ?? 0;
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
        logger.error({ err: cause }, "the partitions of the trail could not be extended; trying again in ten minutes");
        schedule(RETRY_MS);
      },
    );
  }
  return () => clearTimeout(timer);
}
