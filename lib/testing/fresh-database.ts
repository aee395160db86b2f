import { randomBytes } from "node:crypto";
import pg from "pg";

/** Runs `work` on a new, empty database of the server of `url`, which is dropped afterwards. */
export async function withFreshDatabase<T>(
  url: string,
  work: (fresh: string) => Promise<T>,
  options: { readonly owner?: string } = {},
): Promise<T> {
  const name = `cs_test_${randomBytes(6).toString("hex")}`;
  const owner = options.owner === undefined ? "" : ` owner ${pg.escapeIdentifier(options.owner)}`;
  await onServer(url, `create database ${name}${owner}`);
  try {
    const fresh = new URL(url);
    fresh.pathname = `/${name}`;
    return await work(fresh.href);
  } finally {
    await onServer(url, `drop database ${name} with (force)`);
  }
}

/** One statement on a connection of its own. */
export async function onServer(url: string, statement: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await client.query(statement, values);
  } finally {
    await client.end();
  }
}
