import "server-only";
import pg from "pg";
import { AppError } from "@/lib/core/errors";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { OneAtATime } from "@/lib/db/one-at-a-time";
import { CONNECT_MS, KEEP_ALIVE, meet } from "@/lib/db/silence";
import { Prisma, PrismaClient } from "@/lib/generated/prisma/client";

type Connection = { readonly url: string; readonly pool: pg.Pool; readonly prisma: PrismaClient };

const held = singleton("db.connection", () => ({ current: null as Connection | null }));

/** Transactions at a time in this process; an embedded server allows 200 connections, most others 100. */
const POOL_SIZE = 24;

/**
 * After so long without a word in the middle of a transaction PostgreSQL ends the session. A host that lost power would keep a
 * chain's head for hours otherwise, and every call of that tenant would be refused. Nothing of ours waits for the outside world
 * inside a transaction; statements may take as long as they need (silence.ts), but for those that calls wait for (`CALLS_WAIT_MS`).
 */
const SILENT_TRANSACTION_MS = 10_000;

/**
 * After a failover an address may lead to a standby for a while. It reads, and refuses every entry: a session that is busy
 * would be kept there long after the address leads elsewhere.
 */
async function requireWritable(client: pg.PoolClient, url: string): Promise<void> {
  if (!(await meet(client, url)).isWritable) throw noDatabase("takes no writes");
}

const noDatabase = (why: string): Error =>
  Object.assign(new Error(`The server that the database's address leads to ${why}.`), { code: "25006" });

function connection(): Connection {
  if (held.current === null) throw new AppError("unavailable", "The database is not open yet.");
  return held.current;
}

/** A JSON column without a value; Prisma tells it from one that holds the JSON null. */
export const NO_JSON = Prisma.DbNull;

/** Makes the pool and the Prisma client of this process. Only `openDatabase` calls it. */
export function connect(url: string): void {
  if (held.current !== null) return;
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    application_name: "countersign",
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: 30_000,
    idle_in_transaction_session_timeout: SILENT_TRANSACTION_MS,
    ...KEEP_ALIVE,
    verify: (client, done) => void requireWritable(client, url).then(() => done(), done),
  });
  // Without a listener on every client, checked out or idle, a restart of PostgreSQL ends this process.
  pool.on("connect", (client) => client.on("error", onLostConnection));
  pool.on("error", onLostConnection);
  const adapter = new OneAtATime(pool, { onPoolError: onLostConnection, onConnectionError: onLostConnection });
  held.current = { url, pool, prisma: new PrismaClient({ adapter }) };
}

function onLostConnection(cause: Error): void {
  logger.warn({ reason: cause.message }, "a database connection was lost");
}

/** Ends the pool; open transactions finish first. */
export async function disconnect(): Promise<void> {
  const ended = held.current;
  held.current = null;
  if (ended === null) return;
  await ended.prisma.$disconnect();
  await ended.pool.end();
}

/** The pool of this process, for the hot path and the trail. */
export const pool = (): pg.Pool => connection().pool;

/** The Prisma client. Use `inTenant` or `inPlatform`: outside of them there is no tenant, so no tenant's rows. */
export const prisma = (): PrismaClient => connection().prisma;

/** Where the database is, password included: for dedicated connections (advisory locks), never for a log. */
export const databaseUrl = (): string => connection().url;
