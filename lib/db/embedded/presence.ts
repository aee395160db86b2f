import pg from "pg";

const MARK = "countersign-presence";

/**
 * One idle session that says "this process uses the server". PostgreSQL drops it the moment the process dies,
 * however it dies, so nobody is ever counted who is not there.
 */
export type Presence = {
  /** How many other processes of ours use the server now. */
  readonly others: () => Promise<number>;
  readonly leave: () => Promise<void>;
};

/** Announces this process; `onLost` is called once if the server goes away under us. */
export async function announce(url: string, onLost: () => void): Promise<Presence> {
  const client = new pg.Client({ connectionString: url, application_name: MARK, keepAlive: true });
  let leaving = false;
  client.on("error", () => undefined);
  client.once("end", () => {
    if (!leaving) onLost();
  });
  await client.connect();
  return {
    async others() {
      const { rows } = await client.query<{ n: number }>(
        "select count(*)::int as n from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()",
        [MARK],
      );
      return rows[0]?.n ?? 0;
    },
    async leave() {
      leaving = true;
      await client.end();
    },
  };
}
