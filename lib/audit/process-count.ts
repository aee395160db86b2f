import "server-only";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { CALLS_WAIT_MS, platformSql } from "@/lib/db/sql";

const READ_EVERY_MS = 5_000;

// Three missed heartbeats; a process that stopped cleanly says so itself.
const ALIVE = `select count(*)::int as alive from gateway_processes
  where closed_at is null and last_seen_at > now() - interval '15 seconds'`;

const held = singleton("audit.process-count", () => ({ known: 1, timer: null as NodeJS.Timeout | null }));

async function read(): Promise<void> {
  const { rows } = await platformSql((client) => client.query<{ alive: number }>(ALIVE), undefined, CALLS_WAIT_MS);
  held.known = Math.max(1, rows[0]?.alive ?? 1);
}

const readSoon = (): void => {
  read().catch((cause: unknown) => logger.debug({ err: cause }, "gateway processes could not be counted"));
};

function keepCounting(): void {
  held.timer ??= setInterval(readSoon, READ_EVERY_MS).unref();
}

/** Counts for the first time. A process that has not would take itself for the only one, and the whole of each limit for its share. */
export async function countProcesses(): Promise<void> {
  await read();
  keepCounting();
}

/** How many gateway processes share this database, as of the last five seconds or as last known. */
export function processCount(): number {
  if (held.timer === null) {
    keepCounting();
    readSoon();
  }
  return held.known;
}

/** Stops counting. */
export function stopCountingProcesses(): void {
  if (held.timer !== null) clearInterval(held.timer);
  held.timer = null;
}
