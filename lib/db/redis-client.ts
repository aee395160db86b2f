import { createClient } from "redis";
import { steadyClock } from "@/lib/core/clock";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";

const LONGEST_WAIT_MS = 2_000;
const FIRST_CONNECT_MS = 2_000;
/** A Redis that hangs must cost a call no more than this, and only now and then. */
const ANSWER_MS = 500;
const LEFT_ALONE_MS = 1_000;

function makeClient(url: string) {
  let down = false;
  const client = createClient({
    url,
    // Asked while it is away, it says so at once: nobody waits for Redis to come back.
    disableOfflineQueue: true,
    socket: { connectTimeout: 2_000, reconnectStrategy: (attempt) => Math.min(100 * 2 ** attempt, LONGEST_WAIT_MS) },
  });
  client.on("error", (cause: Error) => {
    if (!down) logger.warn({ reason: cause.message }, "Redis is away; each process decides on its own meanwhile");
    down = true;
  });
  client.on("ready", () => {
    if (down) logger.info("Redis is back; state is shared again");
    down = false;
  });
  return client;
}

export type RedisClient = ReturnType<typeof makeClient>;

const held = singleton("redis.client", () => ({ client: null as RedisClient | null, leftAloneUntil: 0 }));

/** Connects the one client of this process for state that is shared. Does not hold up the start, and never gives up. */
export async function connectSharedRedis(url: string): Promise<() => Promise<void>> {
  const client = makeClient(url);
  held.client = client;
  const connected = client.connect().catch(() => undefined);
  await Promise.race([connected, new Promise((resolve) => setTimeout(resolve, FIRST_CONNECT_MS).unref())]);
  return async () => {
    if (held.client === client) held.client = null;
    client.destroy();
  };
}

/** The client while it can be asked; null without REDIS_URL and while Redis is away: then a process decides alone. */
export function sharedRedis(): RedisClient | null {
  const { client } = held;
  return client?.isReady === true && steadyClock.now() >= held.leftAloneUntil ? client : null;
}

/** Microseconds since the epoch by Redis's clock, which all processes share. */
export async function timeOfRedis(client: RedisClient): Promise<number> {
  const [seconds, micros] = await client.time();
  return Number(seconds) * 1_000_000 + Number(micros);
}

/** What Redis answers, or null when it is away, refuses, or takes too long; then it is left alone for a second. */
export async function askRedis<T>(ask: (client: RedisClient) => Promise<T>): Promise<T | null> {
  const client = sharedRedis();
  if (client === null) return null;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => {
      held.leftAloneUntil = steadyClock.now() + LEFT_ALONE_MS;
      logger.warn("Redis does not answer; each process decides on its own meanwhile");
      resolve(null);
    }, ANSWER_MS);
  });
  const answer = ask(client).catch((cause: unknown) => {
    logger.debug({ err: cause }, "Redis could not be asked");
    return null;
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
