import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbedded } from "@/lib/db/embedded/open-embedded";
import { migrate } from "@/lib/db/migrate";
import { onServer } from "@/lib/testing/fresh-database";

/**
 * One database for the run, which every file copies (own-database.ts): of the embedded PostgreSQL in a folder of its own,
 * or of the server of CS_TEST_DATABASE_URL. DATABASE_URL is never used: tests must not touch what somebody works with.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), "countersign-test-"));
  // As root the server runs as somebody else, who must get to its files in here.
  await chmod(dataDir, 0o711);
  const given = process.env["CS_TEST_DATABASE_URL"];
  const embedded = given ? null : await openEmbedded(dataDir);
  // Nobody but its copies may be at what is copied, so it is not the one that the embedded server is held by.
  const database = await freshDatabase(given || (embedded?.url ?? ""));
  await migrate(database.url);
  // Workers start after this and inherit it.
  process.env["DATABASE_URL"] = database.url;
  process.env["DATA_DIR"] = dataDir;
  process.env["MASTER_KEY"] = `test:${randomBytes(32).toString("base64")}`;
  process.env["NEXTAUTH_SECRET"] = randomBytes(32).toString("hex");
  return async () => {
    await database.close();
    await embedded?.close();
    await rm(dataDir, { recursive: true, force: true });
  };
}

async function freshDatabase(server: string): Promise<{ url: string; close: () => Promise<void> }> {
  const name = `cs_test_${randomBytes(6).toString("hex")}`;
  await onServer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, close: () => dropDatabase(server, name) };
}

/** And the copies that files made of it. */
async function dropDatabase(server: string, name: string): Promise<void> {
  const { rows } = await onServer(server, "select datname from pg_database where starts_with(datname, $1)", [name]);
  for (const { datname } of rows) await onServer(server, `drop database ${datname} with (force)`);
}
