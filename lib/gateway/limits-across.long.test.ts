import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, it } from "vitest";
import { boot, shutdown } from "@/lib/gateway/boot";
import type { TestBundle } from "@/lib/testing/bundle";
import { freePort } from "@/lib/testing/door-processes";
import { buildSecondGateway, spentByTwo, startSecondGateway } from "@/lib/testing/second-gateway";
import { testRedisUrl } from "@/lib/testing/test-redis";

const children: ChildProcess[] = [];
let bundle: TestBundle;
beforeAll(async () => {
  bundle = await buildSecondGateway();
  await boot();
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await shutdown();
  await bundle.remove();
});

// Where tests may use Redis, its program is there too; this one is stopped, so it must be the test's own.
it.skipIf(testRedisUrl === undefined)(
  "lost in flight, Redis leaves each its share, never more and never none",
  async () => {
    const port = await freePort();
    const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    const redis = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] });
    children.push(redis);
    await once(redis.stdout, "data");
    let lost = 0;
    const start = (redisUrl: string | null, ...rest: readonly string[]) => {
      const gateway = startSecondGateway(bundle, redisUrl, ...rest);
      children.push(gateway.child);
      return gateway;
    };
    const passed = await spentByTwo(start, `redis://127.0.0.1:${port}`, 10, () => {
      lost += 1;
      redis.kill("SIGKILL");
    });
    expect(lost).toBe(1);
    expect(passed).toBeLessThanOrEqual(1_020);
    // This process counts as a third: two shares of three for six seconds, after four whole ones.
    expect(passed).toBeGreaterThanOrEqual(650);
  },
);
