import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { perform } from "@/lib/audit/perform";
import { connectBus } from "@/lib/db/redis-bus";
import { boot, shutdown } from "@/lib/gateway/boot";
import { throwKillSwitch } from "@/lib/kill-switches/throw-kill-switch";
import type { TestBundle } from "@/lib/testing/bundle";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { buildSecondGateway, type Gateway, spentByTwo, startSecondGateway } from "@/lib/testing/second-gateway";
import { testRedisUrl } from "@/lib/testing/test-redis";

let bundle: TestBundle;
const children: ChildProcess[] = [];
beforeAll(async () => {
  bundle = await buildSecondGateway();
  await boot();
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await shutdown();
  await bundle.remove();
});

function start(redisUrl: string | null, ...args: readonly string[]): Gateway {
  const gateway = startSecondGateway(bundle, redisUrl, ...args);
  children.push(gateway.child);
  return gateway;
}

/** How long after a switch was thrown here a call that hangs in another process ended there. */
async function endedAfter(redisUrl: string | null): Promise<{ ms: number; code: string | undefined }> {
  // This process throws the switch: it must speak to the same Redis.
  const leaveBus = redisUrl === null ? null : await connectBus(redisUrl);
  const world: World = await createWorld({ slow: { tools: ["wait"], map: { wait: "slow:wait" }, deadlineMs: 20_000 } });
  try {
    const { key, slug } = await world.agent("slow:wait");
    world.upstreams.get("slow")?.setFault("hang");
    const other = start(redisUrl, "call", key, "slow", "wait");
    await other.next();
    other.go();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const at = Date.now();
    await perform(throwKillSwitch, world.tenant.ctx(), { kind: "agent", target: slug });
    const { endedAt = Number.POSITIVE_INFINITY, code } = await other.next();
    return { ms: endedAt - at, code };
  } finally {
    await world.close();
    await leaveBus?.();
  }
}

describe("over two processes", () => {
  it("a kill switch ends a call within five seconds with nothing but the database between them", async () => {
    const { ms, code } = await endedAfter(null);
    expect(code).toBe("killed");
    expect(ms).toBeLessThan(5_000);
  });
});

const url = testRedisUrl ?? "";
describe.skipIf(url === "")(
  `over two processes with Redis${url === "" ? " (not run: set CS_TEST_REDIS_URL)" : ""}`,
  () => {
    it("a kill switch is heard at once", async () => {
      const { ms, code } = await endedAfter(url);
      expect(code).toBe("killed");
      expect(ms).toBeLessThan(1_000);
    });

    it("a limit of 100 per second holds within -5 % and +2 %", async () => {
      const passed = await spentByTwo(start, url, 8);
      expect(passed).toBeGreaterThanOrEqual(760);
      expect(passed).toBeLessThanOrEqual(816);
    });
  },
);
