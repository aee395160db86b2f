import "server-only";
import pg from "pg";
import { CONNECT_MS, KEEP_ALIVE, meet } from "@/lib/db/silence";

/** How long a goodbye may take; whoever does not hear it is left without one. */
const GOODBYE_MS = 1_000;

/** Opens a session apart from the pool, for what only a session holds: locks. It is watched as those of the pool are. */
export async function openSession(url: string, name: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: CONNECT_MS,
    ...KEEP_ALIVE,
  });
  // What is lost fails what is asked, and is told by its end.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await meet(client, url);
    return client;
  } catch (cause) {
    void endSession(client);
    throw cause;
  }
}

/** Ends it, and so lets go what it holds. Never rejects, and takes a second at most. */
export async function endSession(client: pg.Client): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      client.connection.stream.destroy();
      resolve();
    }, GOODBYE_MS);
  });
  await Promise.race([client.end().catch(() => undefined), late]);
  clearTimeout(timer);
}
