import { z } from "zod";
import { type Clock, steadyClock } from "@/lib/core/clock";
import { askRedis, type RedisClient, sharedRedis, timeOfRedis } from "@/lib/db/redis-client";
import { env } from "@/lib/env";
import { byClockAhead, type CircuitState } from "@/lib/resilience/circuit";

/** How a change of the shared state went: the state that all see now, and whether it is ours. */
export type Changed = { readonly state: CircuitState; readonly won: boolean };

/**
 * Where circuits are kept that several processes share. Nothing here is asked for a call through a closed circuit:
 * it holds what changed the kind of a circuit, and the trials of half-open ones. Times in the states are those of this
 * process's own clock, whatever clock the store goes by.
 */
export type CircuitStore = {
  /** False: this process decides alone. */
  readonly isShared: () => boolean;
  /**
   * Moves the state that all processes see. `from` is where to start when nobody has stored one; `step` is pure and may
   * run again. Null when the store could not be asked.
   */
  readonly change: (
    key: string,
    from: CircuitState,
    step: (state: CircuitState) => CircuitState,
  ) => Promise<Changed | null>;
  /** The stored states, null where there is none; null in whole when the store could not be asked. */
  readonly read: (keys: readonly string[]) => Promise<readonly (CircuitState | null)[] | null>;
};

/** For one process: there is nobody to share with. */
export const aloneStore: CircuitStore = {
  isShared: () => false,
  change: async () => null,
  read: async () => null,
};

const epoch = z.number().int().min(0);
const counter = z.number().int().min(0);
const stored = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("closed"), epoch, consecutiveFailures: counter, window: z.tuple([]) }),
  z.object({
    kind: z.literal("open"),
    epoch,
    until: z.number(),
    openings: counter,
    cause: z.enum(["consecutive_failures", "success_rate", "slow_rate", "trial_failed"]),
  }),
  z.object({
    kind: z.literal("half-open"),
    epoch,
    openings: counter,
    trials: z.array(z.object({ id: counter, until: z.number() })).max(1_000),
    lastTrial: counter,
    successes: counter,
  }),
]);

/** What one process counted while closed is its own; the fact of being closed is shared. */
function encode(state: CircuitState): string {
  return JSON.stringify(state.kind === "closed" ? { ...state, consecutiveFailures: 0, window: [] } : state);
}

/** Others may write to Redis too: what is not a state counts as none. */
function decode(text: string | null): CircuitState | null {
  if (text === null || text === "") return null;
  try {
    return stored.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

// Answers nothing when the value was the expected one and is replaced, else the value that stands there ("" for none).
const COMPARE_AND_SET = `
  local now = redis.call('GET', KEYS[1]) or ''
  if now ~= ARGV[1] then return now end
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return false`;

const KEEP_MS = 24 * 3_600_000;
const MAX_TRIES = 20;

const keyOf = (key: string): string => `${env().REDIS_PREFIX}:circuit:${key}`;

/** How far Redis's clock, by which all processes keep their circuits there, is ahead of ours. */
const aheadOf = async (client: RedisClient, clock: Clock): Promise<number> =>
  (await timeOfRedis(client)) / 1_000 - clock.now();

/** A stored state in the time of this process. */
function heard(text: string | null, ahead: number): CircuitState | null {
  const found = decode(text);
  return found === null ? null : byClockAhead(found, -ahead);
}

/** The states in Redis, each a JSON document that is only ever replaced as a whole, by who has seen the last one. */
export const makeRedisStore = (clock: Clock): CircuitStore => ({
  isShared: () => sharedRedis() !== null,
  async change(key, from, step) {
    return askRedis(async (client) => {
      const [first, ahead] = await Promise.all([client.get(keyOf(key)), aheadOf(client, clock)]);
      let seen = first ?? "";
      let state = from;
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        state = heard(seen, ahead) ?? from;
        const next = step(state);
        if (next === state) break;
        const options = { keys: [keyOf(key)], arguments: [seen, encode(byClockAhead(next, ahead)), String(KEEP_MS)] };
        const other = (await client.eval(COMPARE_AND_SET, options)) as string | null;
        if (other === null) return { state: next, won: true };
        seen = other;
      }
      return { state, won: false };
    });
  },
  async read(keys) {
    return askRedis(async (client) => {
      const [found, ahead] = await Promise.all([client.mGet(keys.map(keyOf)), aheadOf(client, clock)]);
      return found.map((text) => heard(text, ahead));
    });
  },
});

export const redisStore: CircuitStore = makeRedisStore(steadyClock);
