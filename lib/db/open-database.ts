import "server-only";
import { resolve } from "node:path";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { checkSchema, checkServer } from "@/lib/db/check-database";
import { connect, disconnect, pool } from "@/lib/db/client";
import { openEmbedded } from "@/lib/db/embedded/open-embedded";
import { migrate } from "@/lib/db/migrate";
import { endSession, openSession } from "@/lib/db/own-session";
import { ensurePartitions, keepPartitions } from "@/lib/db/partitions";
import { env } from "@/lib/env";

export type OpenDatabase = {
  /** Connection string, password included. */
  readonly url: string;
  readonly embedded: boolean;
  /** Names of the migrations this start applied. */
  readonly migrated: readonly string[];
};

export type OpenDatabaseOptions = { readonly url?: string; readonly dataDir?: string };

type Opened = { readonly database: OpenDatabase; readonly close: () => Promise<void> };

const state = singleton("db.opened", () => ({ opening: null as Promise<Opened> | null }));

/**
 * Opens the database of this process: starts or adopts the embedded server where no DATABASE_URL is given, migrates,
 * refuses what cannot be trusted, keeps the partitions. Calling it again returns the same database.
 */
export async function openDatabase(options: OpenDatabaseOptions = {}): Promise<OpenDatabase> {
  state.opening ??= open(options).catch((cause: unknown) => {
    state.opening = null;
    throw cause;
  });
  return (await state.opening).database;
}

/** Ends the pool; stops the embedded server unless another process of ours still uses it. */
export async function closeDatabase(): Promise<void> {
  const opening = state.opening;
  state.opening = null;
  if (opening !== null) await (await opening).close();
}

async function open(options: OpenDatabaseOptions): Promise<Opened> {
  const startedAt = performance.now();
  const given = options.url ?? (options.dataDir === undefined ? env().DATABASE_URL : undefined);
  const embedded = given === undefined ? await openEmbedded(resolve(options.dataDir ?? env().DATA_DIR)) : null;
  const url = given ?? embedded?.url ?? "";
  try {
    await checkFirst(url);
    const migrated = await migrate(url);
    connect(url);
    await checkSchema(pool());
    await ensurePartitions(pool());
    const stopKeeping = keepPartitions(pool());
    const tookMs = Math.round(performance.now() - startedAt);
    logger.info({ embedded: embedded !== null, migrated, tookMs }, "database open");
    return {
      database: { url, embedded: embedded !== null, migrated },
      close: async () => {
        stopKeeping();
        await disconnect();
        await embedded?.close();
      },
    };
  } catch (cause) {
    await disconnect();
    await embedded?.close();
    throw cause;
  }
}

async function checkFirst(url: string): Promise<void> {
  const session = await openSession(url, "countersign check");
  try {
    await checkServer(session);
  } finally {
    await endSession(session);
  }
}
