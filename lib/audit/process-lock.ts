import type pg from "pg";
import { logger } from "@/lib/core/logger";
import { databaseUrl } from "@/lib/db/client";
import { endSession, openSession } from "@/lib/db/own-session";
import { outlastSilence } from "@/lib/db/silence";

const RECONNECT_MS = 500;
/** So that PostgreSQL notices within half a minute when our host lost power, and others may recover our calls. */
const NOTICE_DEATH = "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3";

/** A session of its own that holds a PostgreSQL advisory lock as long as this process lives and is connected. */
export type ProcessLock = {
  readonly held: () => boolean;
  /** Asks over it, so that one that leads nowhere is found and taken again. Waits for nothing. */
  readonly beat: () => void;
  readonly release: () => Promise<void>;
};

/** Takes the lock and keeps taking it again whenever the connection breaks; `onTakenAgain` is told of that. */
export async function holdProcessLock(lockKey: string, onTakenAgain: () => void): Promise<ProcessLock> {
  let client: pg.Client | null = null;
  let asked: pg.Client | null = null;
  let released = false;

  async function take(): Promise<void> {
    const next = await openSession(databaseUrl(), "countersign lock");
    next.on("error", () => lost(next));
    next.on("end", () => lost(next));
    try {
      await next.query(NOTICE_DEATH);
      await next.query("select pg_advisory_lock($1::bigint)", [lockKey]);
    } catch (cause) {
      // Not ended, a session that got its lock in the same moment would hold it for ever.
      void endSession(next);
      throw cause;
    }
    // While nothing answers nobody else can have it either: given up, it would be free when the database speaks again.
    outlastSilence(next);
    client = next;
    if (released) await endSession(next);
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
    beat() {
      if (client === null || asked === client) return;
      const of = client;
      asked = of;
      const answered = () => {
        if (asked === of) asked = null;
      };
      of.query("select 1").then(answered, answered);
    },
    async release() {
      released = true;
      const last = client;
      client = null;
      if (last !== null) await endSession(last);
    },
  };
}
