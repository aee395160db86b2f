import pg from "pg";
import { logger } from "@/lib/core/logger";
import { databaseUrl } from "@/lib/db/client";

const RECONNECT_MS = 500;
/** So that PostgreSQL notices within half a minute when our host lost power, and others may recover our calls. */
const NOTICE_DEATH = "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3";

/** A session of its own that holds a PostgreSQL advisory lock as long as this process lives and is connected. */
export type ProcessLock = {
  readonly held: () => boolean;
  readonly release: () => Promise<void>;
};

/** Takes the lock and keeps taking it again whenever the connection breaks; `onTakenAgain` is told of that. */
export async function holdProcessLock(lockKey: string, onTakenAgain: () => void): Promise<ProcessLock> {
  let client: pg.Client | null = null;
  let released = false;

  async function take(): Promise<void> {
    const next = new pg.Client({
      connectionString: databaseUrl(),
      application_name: "countersign lock",
      keepAlive: true,
    });
    next.on("error", () => lost(next));
    next.on("end", () => lost(next));
    try {
      await next.connect();
      await next.query(NOTICE_DEATH);
      await next.query("select pg_advisory_lock($1::bigint)", [lockKey]);
    } catch (cause) {
      // Not ended, a session that got its lock in the same moment would hold it for ever.
      next.end().catch(() => undefined);
      throw cause;
    }
    client = next;
    if (released) await next.end();
  }

  function lost(which: pg.Client): void {
    if (client !== which) return;
    client = null;
    if (!released) retake();
  }

  function retake(): void {
    setTimeout(() => {
      if (released || client !== null) return;
      take().then(
        // A process that has ended meanwhile does not come back to life.
        () => released || onTakenAgain(),
        (cause: unknown) => {
          logger.warn({ err: cause }, "the lock of this process could not be taken again yet");
          retake();
        },
      );
    }, RECONNECT_MS).unref();
  }

  await take();
  return {
    held: () => client !== null,
    async release() {
      released = true;
      const last = client;
      client = null;
      await last?.end().catch(() => undefined);
    },
  };
}
