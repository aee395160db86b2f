import { randomBytes } from "node:crypto";
import { GATEWAY_VERSION, gatewayId } from "@/lib/audit/gateway-identity";
import { holdProcessLock, type ProcessLock } from "@/lib/audit/process-lock";
import { recoverOpenIntents } from "@/lib/audit/recover-open-intents";
import { trail } from "@/lib/audit/trail";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { platformSql } from "@/lib/db/sql";

const HEARTBEAT_MS = 5_000;
const RECOVER_EVERY_MS = 10_000;

type Registered = { readonly lock: ProcessLock; readonly timers: readonly NodeJS.Timeout[] };

const state = singleton("audit.process", () => ({ registering: null as Promise<Registered> | null }));

/**
 * Makes this process known, so that another can close its calls should it die: a row, and an advisory lock that
 * PostgreSQL frees with the connection. Beats every five seconds and looks after dead processes every ten.
 */
export async function registerProcess(): Promise<void> {
  state.registering ??= register().catch((cause: unknown) => {
    state.registering = null;
    throw cause;
  });
  await state.registering;
}

/** Marks a clean stop. With calls still open the row stays, so that the next process closes them as unknown. */
export async function closeProcess(): Promise<void> {
  const registering = state.registering;
  state.registering = null;
  if (registering === null) return;
  const { lock, timers } = await registering;
  for (const timer of timers) clearInterval(timer);
  await beat(trail().status().openCalls === 0).catch((cause: unknown) => {
    logger.warn({ err: cause }, "the clean stop could not be recorded");
  });
  await lock.release();
}

async function register(): Promise<Registered> {
  // Any 63 bits; the lock is what proves life, the key only has to be this process's own.
  const lockKey = (randomBytes(8).readBigUInt64BE() >> 1n).toString();
  // Meanwhile others may have taken us for dead, and look no more after what we leave behind.
  const lock = await holdProcessLock(lockKey, beatAgain);
  // Others compare these times with the database's clock, so they are its own; only `open_since` is compared with our entries.
  await platformSql((client) =>
    client.query(
      `insert into gateway_processes (id, lock_key, version, started_at, last_seen_at, open_since)
        values ($1::uuid, $2::bigint, $3, now(), now(), $4::timestamptz)`,
      [gatewayId(), lockKey, GATEWAY_VERSION, openSince()],
    ),
  );
  return {
    lock,
    timers: [
      every(HEARTBEAT_MS, "heartbeat", () => {
        lock.beat();
        return beat(false);
      }),
      every(RECOVER_EVERY_MS, "recovery of open calls", recoverOpenIntents),
    ],
  };
}

function every(ms: number, what: string, run: () => Promise<unknown>): NodeJS.Timeout {
  let busy = false;
  return setInterval(() => {
    if (busy) return;
    busy = true;
    run()
      .catch((cause: unknown) => logger.warn({ err: cause }, `${what} failed and will be tried again`))
      .finally(() => {
        busy = false;
      });
  }, ms).unref();
}

async function beat(closed: boolean): Promise<void> {
  await platformSql((client) =>
    client.query(
      `update gateway_processes set last_seen_at = now(), open_since = $2::timestamptz, closed_at = case when $3 then now() end
        where id = $1::uuid`,
      [gatewayId(), openSince(), closed],
    ),
  );
}

function beatAgain(): void {
  beat(false).catch((cause: unknown) => logger.warn({ err: cause }, "heartbeat failed and will be tried again"));
}

const openSince = (): string => new Date(trail().openSince()).toISOString();
