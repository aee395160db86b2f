import { closeDatabase, openDatabase } from "@/lib/db/open-database";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** `cs db migrate`: brings the database to this version's schema. Exit code 0 when it is there. */
export async function migrateCommand(): Promise<number> {
  try {
    const { migrated } = await openDatabase();
    for (const name of migrated) say(`applied ${name}`);
    say(migrated.length === 0 ? "The database is up to date." : "The database is up to date now.");
    return 0;
  } catch (cause) {
    say(cause instanceof Error ? cause.message : String(cause));
    return 1;
  } finally {
    await closeDatabase().catch(() => undefined);
  }
}
