import { afterAll, beforeAll, expect, it } from "vitest";
import { newId } from "@/lib/core/ids";
import { askRedis, connectSharedRedis } from "@/lib/db/redis-client";
import { env } from "@/lib/env";
import { makeRedisStore } from "@/lib/gateway/shared-state/circuit-store";
import { type CircuitState, CLOSED } from "@/lib/resilience/circuit";
import { testRedisUrl } from "@/lib/testing/test-redis";

let leave: (() => Promise<void>) | undefined;
beforeAll(async () => {
  if (testRedisUrl !== undefined) leave = await connectSharedRedis(testRedisUrl);
});
const key = `test:${newId()}`;
afterAll(async () => {
  await askRedis((client) => client.del(`${env().REDIS_PREFIX}:circuit:${key}`));
  await leave?.();
});

const REST = 60_000;
const opened = (now: number): CircuitState => ({
  ...{ kind: "open", epoch: 1, until: now + REST, openings: 1, cause: "consecutive_failures" },
});
/** A steady clock, whose zero is when its process began: here, so long ago. */
const clockOf = (ageMs: number) => ({ now: () => performance.now() + ageMs });

it.skipIf(testRedisUrl === undefined)("tells every process how long is left, whenever each began", async () => {
  const clocks = [clockOf(0), clockOf(9_000_000)] as const;
  const [opener, other] = [makeRedisStore(clocks[0]), makeRedisStore(clocks[1])];
  const first = await opener.change(key, CLOSED, () => opened(clocks[0].now()));
  expect(first).toMatchObject({ won: true, state: { kind: "open" } });

  const left = (state: CircuitState | null | undefined) =>
    state?.kind === "open" ? state.until - clocks[1].now() : Number.NaN;
  const [seen] = (await other.read([key])) ?? [];
  expect(left(seen)).toBeGreaterThan(REST - 2_000);
  expect(left(seen)).toBeLessThanOrEqual(REST + 10);

  let given: CircuitState | null = null;
  const untouched = await other.change(key, CLOSED, (shared) => {
    given = shared;
    return shared;
  });
  expect(untouched?.won).toBe(false);
  expect(Math.abs(left(given) - left(seen))).toBeLessThan(2_000);

  const until = clocks[1].now() + 40_000;
  const trial = { id: 1, until };
  const halfOpen = { kind: "half-open", epoch: 2, openings: 1, trials: [trial], lastTrial: 1, successes: 0 } as const;
  await other.change(key, CLOSED, () => halfOpen);
  const [tried] = (await opener.read([key])) ?? [];
  const lease = tried?.kind === "half-open" ? (tried.trials[0]?.until ?? 0) - clocks[0].now() : 0;
  expect(lease).toBeGreaterThan(38_000);
  expect(lease).toBeLessThanOrEqual(40_010);
});
