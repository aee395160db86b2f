import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type pg from "pg";
import { createClient } from "redis";
import { checkSchema, checkServer } from "@/lib/db/check-database";
import { pool } from "@/lib/db/client";
import { closeDatabase, openDatabase } from "@/lib/db/open-database";
import { processSecrets } from "@/lib/db/process-secrets";
import { type Env, env } from "@/lib/env";

type Finding = { readonly ok: boolean; readonly name: string; readonly text: string };
type Check = { readonly name: string; readonly run: () => Promise<string> };

const SKEW_MS = 1_000;

/** `cs doctor`: one line per thing that must be right. Exit code 0 when all are. */
export async function doctorCommand(): Promise<number> {
  const settings = await attempt({ name: "settings", run: async () => describeSettings(env()) });
  say(settings);
  if (!settings.ok) return 1;
  const findings: Finding[] = [];
  for (const check of checks(env())) {
    const finding = await attempt(check);
    findings.push(finding);
    say(finding);
    // Without a database the checks that ask it would only repeat the same failure.
    if (!finding.ok && finding.name === "database") break;
  }
  await closeDatabase().catch(() => undefined);
  return findings.every(({ ok }) => ok) ? 0 : 1;
}

function checks(settings: Env): readonly Check[] {
  return [
    { name: "data folder", run: () => checkDataDir(resolve(settings.DATA_DIR)) },
    { name: "secrets", run: async () => `master key ${processSecrets().masterKeyId}` },
    { name: "redis", run: () => checkRedis(settings.REDIS_URL) },
    { name: "database", run: openIt },
    { name: "durability", run: () => checkServer(pool()).then(() => "fsync and synchronous_commit are on") },
    {
      name: "row security",
      run: () => checkSchema(pool()).then(() => "forced; the runtime roles cannot go around it"),
    },
    { name: "partitions", run: () => checkPartitions(pool()) },
    { name: "clock", run: () => checkClock(pool()) },
  ];
}

async function attempt({ name, run }: Check): Promise<Finding> {
  try {
    return { ok: true, name, text: await run() };
  } catch (cause) {
    return { ok: false, name, text: cause instanceof Error ? cause.message : String(cause) };
  }
}

function say({ ok, name, text }: Finding): void {
  process.stdout.write(
    `${ok ? "ok  " : "FAIL"}  ${name.padEnd(13)} ${text.replaceAll("\n", "\n                    ")}\n`,
  );
}

function describeSettings(settings: Env): string {
  const database = settings.embeddedDatabase ? "embedded database" : "DATABASE_URL";
  const redis = settings.REDIS_URL === undefined ? "no Redis" : "Redis";
  return `${database}, ${redis}, demo ${settings.demo ? "on" : "off"}`;
}

async function checkDataDir(dataDir: string): Promise<string> {
  const found = await stat(dataDir).catch(() => null);
  if (found === null) return `${dataDir} (will be made)`;
  if (!found.isDirectory()) throw new Error(`${dataDir} is not a folder`);
  await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK).catch(() => {
    throw new Error(`${dataDir} is not writable by this user`);
  });
  return dataDir;
}

async function checkRedis(url: string | undefined): Promise<string> {
  if (url === undefined) return "not used: state is shared within this process only";
  const client = createClient({ url, socket: { connectTimeout: 2_000, reconnectStrategy: false } });
  client.on("error", () => undefined);
  const startedAt = performance.now();
  try {
    await client.connect();
    await client.ping();
    return `answers in ${Math.round(performance.now() - startedAt)} ms`;
  } finally {
    client.destroy();
  }
}

async function openIt(): Promise<string> {
  const startedAt = performance.now();
  const { embedded, migrated } = await openDatabase();
  const { rows } = await pool().query<{ version: string }>("select current_setting('server_version') as version");
  const tookMs = Math.round(performance.now() - startedAt);
  const applied = migrated.length === 0 ? "schema up to date" : `${migrated.length} migrations applied`;
  return `PostgreSQL ${rows[0]?.version}${embedded ? ", embedded" : ""}, ${applied}, ${tookMs} ms`;
}

async function checkPartitions(db: pg.Pool): Promise<string> {
  const { rows } = await db.query<{ n: number; ahead: boolean }>(
    `select count(*)::int as n,
            coalesce(bool_or(relname = 'audit_entries_' || to_char(now() at time zone 'utc' + interval '1 month', 'YYYY_MM')), false) as ahead
       from pg_inherits join pg_class c on c.oid = inhrelid where inhparent = 'audit_entries'::regclass`,
  );
  if (rows[0]?.ahead !== true) throw new Error("the trail has no partition for next month");
  return `${rows[0].n} months of the trail have a place`;
}

async function checkClock(db: pg.Pool): Promise<string> {
  const before = Date.now();
  const { rows } = await db.query<{ now: Date }>("select clock_timestamp() as now");
  const skewMs = Math.round((rows[0]?.now.getTime() ?? 0) - (before + Date.now()) / 2);
  if (Math.abs(skewMs) > SKEW_MS) throw new Error(`this machine and the database differ by ${skewMs} ms`);
  return `differs from the database by ${skewMs} ms`;
}
