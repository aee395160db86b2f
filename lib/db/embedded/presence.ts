import pg from "pg";
import { endSession } from "@/lib/db/own-session";
import { CONNECT_MS, KEEP_ALIVE } from "@/lib/db/silence";

const MARK = "countersign-presence";

/**
 * One idle session that says "this process uses the server". PostgreSQL drops it the moment the process dies,
 * however it dies, so nobody is ever counted who is not there.
 */
export type Presence = {
  /** How many other processes of ours use the server now; one where it does not say, so that it is left alone. */
  readonly others: () => Promise<number>;
  readonly leave: () => Promise<void>;
};

/** Announces this process; `onLost` is called once if the server goes away under us. */
export async function announce(url: string, onLost: () => void): Promise<Presence> {
  const client = new pg.Client({
    connectionString: url,
    application_name: MARK,
    ...KEEP_ALIVE,
    connectionTimeoutMillis: CONNECT_MS,
  });
  let leaving = false;
  client.on("error", () => undefined);
  client.once("end", () => {
    if (!leaving) onLost();
  });
  await client.connect();
  return {
    async others() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<null>((resolve) => {
        timer = setTimeout(resolve, CONNECT_MS, null);
      });
      const asked = client.query<{ n: number }>(
        "select count(*)::int as n from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()",
        [MARK],
      );
      const said = await Promise.race([asked, late]).finally(() => clearTimeout(timer));
      return said === null ? 1 : (said.rows[0]?.n ?? 0);
    },
    async leave() {
      leaving = true;
      await endSession(client);
    },
  };
}
