import { trail } from "@/lib/audit/trail";
import { pool } from "@/lib/db/client";
import { readMigrations } from "@/lib/db/migrate";
import { processSecrets } from "@/lib/db/process-secrets";

export type Readiness = {
  readonly ready: boolean;
  readonly reasons: readonly { readonly check: string; readonly problem: string }[];
};

const CHECK_TIMEOUT_MS = 2_000;

type Check = { readonly check: string; readonly find: () => Promise<string | null> };

/** Sentences for operators; connection strings and causes stay in the log. */
const CHECKS: readonly Check[] = [
  { check: "database", find: databaseProblem },
  { check: "migrations", find: migrationProblem },
  {
    check: "key_material",
    find: async () => (processSecrets().masterKey.length === 32 ? null : "the master key is not 32 bytes"),
  },
  {
    check: "trail",
    find: async () => (trail().status().writable ? null : "entries cannot be written to the audit trail"),
  },
];

/** Asks everything a call needs, at once; a check that does not answer in time is a problem of its own. */
export async function readiness(): Promise<Readiness> {
  const found = await Promise.all(CHECKS.map(async ({ check, find }) => ({ check, problem: await bounded(find) })));
  const reasons = found.flatMap(({ check, problem }) => (problem === null ? [] : [{ check, problem }]));
  return { ready: reasons.length === 0, reasons };
}

async function bounded(find: () => Promise<string | null>): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`did not answer within ${CHECK_TIMEOUT_MS} ms`), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([find(), late]);
  } catch {
    return "is not available";
  } finally {
    clearTimeout(timer);
  }
}

async function databaseProblem(): Promise<string | null> {
  await pool().query("select 1");
  return null;
}

async function migrationProblem(): Promise<string | null> {
  const wanted = await readMigrations();
  const { rows } = await pool().query<{ name: string }>(
    "select migration_name as name from _prisma_migrations where finished_at is not null and rolled_back_at is null",
  );
  const done = new Set(rows.map(({ name }) => name));
  const missing = wanted.filter(({ name }) => !done.has(name)).map(({ name }) => name);
  return missing.length === 0 ? null : `not applied: ${missing.join(", ")}`;
}
