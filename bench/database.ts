import { randomBytes } from "node:crypto";
import pg from "pg";

/** One act on a PostgreSQL, over a connection of its own. */
export async function onServer<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return run(client).finally(() => client.end());
}

/** A new database of the benchmark's own. */
export async function createDatabase(server: string): Promise<{ readonly name: string; readonly url: string }> {
  const name = `cs_bench_${randomBytes(5).toString("hex")}`;
  await onServer(server, (client) => client.query(`create database ${name}`));
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { name, url: url.href };
}

/** Ends the sessions of a database and removes it. */
export const dropDatabase = (server: string, name: string): Promise<unknown> =>
  onServer(server, (client) => client.query(`drop database if exists ${name} with (force)`));
