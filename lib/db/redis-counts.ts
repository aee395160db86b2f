import { askRedis, sharedRedis } from "@/lib/db/redis-client";
import { env } from "@/lib/env";

type Rate = { readonly perSecond: number; readonly burst: number };

/** One bucket per key, moved by Redis's own clock, so that processes whose clocks differ still share one truth. */
const TAKE = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local rate, burst, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local held = redis.call('HMGET', KEYS[1], 'n', 't')
local tokens = tonumber(held[1]) or burst
local at = tonumber(held[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local given = math.min(want, math.floor(tokens))
tokens = tokens - given
redis.call('HSET', KEYS[1], 'n', string.format('%.6f', tokens), 't', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst * 1000 / rate) + 1000)
local wait = 0
if given == 0 then wait = math.ceil((1 - tokens) * 1000 / rate) end
return { given, math.floor(tokens), wait }
`;

/** Token buckets in Redis, for all processes together. */
export const redisCounts = {
  ready: (): boolean => sharedRedis() !== null,
  async take(key: string, { perSecond, burst }: Rate, want: number) {
    const keys = [`${env().REDIS_PREFIX}:limit:${key}`];
    // Short enough to send each time: a digest would have to be loaded again after every restart of Redis.
    const answer = await askRedis((client) =>
      client.eval(TAKE, { keys, arguments: [String(perSecond), String(burst), String(want)] }),
    );
    if (!Array.isArray(answer)) throw new Error("Redis could not be asked.");
    const [given = 0, left = 0, waitMs = 0] = answer.map(Number);
    return { given, left, waitMs: given === 0 ? Math.max(1, waitMs) : 0 };
  },
};
