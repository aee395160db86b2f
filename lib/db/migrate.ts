import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { appRoot } from "@/lib/db/app-root";
import { endSession, openSession } from "@/lib/db/own-session";
import { RefusedDatabase } from "@/lib/db/refused-database";
import { applyMigrations, type MigrationFolder } from "@/lib/db/schema-engine";

/** Held while migrating, so that of two processes starting together one migrates and the other waits. */
const LOCK_KEY = "7310868735422231137";
const LOCK_WAIT = "120s";

type Recorded = { readonly name: string; readonly checksum: string; readonly finished: boolean };

/** The migrations of this program, oldest first. */
export async function readMigrations(
  baseDir = join(appRoot(), "prisma", "migrations"),
): Promise<readonly MigrationFolder[]> {
  const entries = await readdir(baseDir, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => ({ name, sql: await readFile(join(baseDir, name, "migration.sql"), "utf8") })),
  );
}

/** Brings the database to this program's schema and returns what was applied. Safe to run from several processes. */
export async function migrate(url: string, folders?: readonly MigrationFolder[]): Promise<readonly string[]> {
  const baseDir = join(appRoot(), "prisma", "migrations");
  const wanted = folders ?? (await readMigrations(baseDir));
  const client = await openSession(url, "countersign-migrate");
  try {
    await client.query(`set lock_timeout = '${LOCK_WAIT}'`);
    await client.query("select pg_advisory_lock($1::bigint)", [LOCK_KEY]);
    if (missing(await recorded(client), wanted).length === 0) return [];
    await forgetUnfinished(client);
    return await applyMigrations(url, baseDir, wanted);
  } finally {
    await endSession(client);
  }
}

/** What has not been applied; throws where the record and this program contradict each other. */
function missing(applied: readonly Recorded[], wanted: readonly MigrationFolder[]): readonly string[] {
  const problems: string[] = [];
  const byName = new Map(wanted.map((folder) => [folder.name, folder]));
  for (const { name, checksum, finished } of applied) {
    const folder = byName.get(name);
    if (!finished) continue;
    if (folder === undefined) problems.push(`migration ${name} is newer than this program; start a newer version`);
    else if (sha256(folder.sql) !== checksum) problems.push(`migration ${name} was changed after it had been applied`);
  }
  if (problems.length > 0) throw new RefusedDatabase(problems);
  const done = new Set(applied.filter(({ finished }) => finished).map(({ name }) => name));
  return wanted.map(({ name }) => name).filter((name) => !done.has(name));
}

async function recorded(client: pg.Client): Promise<readonly Recorded[]> {
  const exists = await client.query<{ found: boolean }>(
    "select to_regclass('public._prisma_migrations') is not null as found",
  );
  if (exists.rows[0]?.found !== true) return [];
  const { rows } = await client.query<Recorded>(
    `select migration_name as name, checksum, finished_at is not null as finished
       from public._prisma_migrations where rolled_back_at is null order by started_at`,
  );
  return rows;
}

/** A start that was killed while migrating left a record and nothing else: see `WholeScripts`. */
async function forgetUnfinished(client: pg.Client): Promise<void> {
  const exists = await client.query("select where to_regclass('public._prisma_migrations') is not null");
  if (exists.rowCount === 0) return;
  await client.query(
    "update public._prisma_migrations set rolled_back_at = now() where finished_at is null and rolled_back_at is null",
  );
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
