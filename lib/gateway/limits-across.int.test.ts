import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { perform } from "@/lib/audit/perform";
import { connectBus } from "@/lib/db/redis-bus";
import { tenantSql } from "@/lib/db/sql";
import { boot, shutdown } from "@/lib/gateway/boot";
import { throwKillSwitch } from "@/lib/kill-switches/throw-kill-switch";
import type { TestBundle } from "@/lib/testing/bundle";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import {
  buildSecondGateway,
  type CallElsewhere,
  type Gateway,
  spentByTwo,
  startSecondGateway,
} from "@/lib/testing/second-gateway";
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

type Kind = "agent" | "tool" | "server" | "tenant";

/** What of the trail is about the calls of the other process. */
async function outcomesOf(tenantId: string): Promise<Map<string, string | null>> {
  const sql = "select request_id, reason_code from audit_entries where tenant_id = $1 and phase = 'outcome'";
  const { rows } = await tenantSql(tenantId, (client) =>
    client.query<{ request_id: string; reason_code: string | null }>(sql, [tenantId]),
  );
  return new Map(rows.map(({ request_id, reason_code }) => [request_id, reason_code]));
}

/** How long after the four switches were thrown here the calls they are for ended in another process, and how. */
async function killedElsewhere(redisUrl: string | null) {
  // This process throws the switches: it must speak to the same Redis.
  const leaveBus = redisUrl === null ? null : await connectBus(redisUrl);
  const map = { wait: "slow:wait", more: "slow:wait" };
  const slow = { tools: ["wait", "more"], map, deadlineMs: 60_000 };
  const world: World = await createWorld({ one: slow, two: slow });
  try {
    const upstreams = [...world.upstreams.values()];
    for (const upstream of upstreams) upstream.setFault("hang");
    const [ill, well] = [await world.agent("slow:wait"), await world.agent("slow:wait")];
    const calls: CallElsewhere[] = [
      { name: "agent", key: ill.key, server: "one", tool: "wait" },
      { name: "tool", key: well.key, server: "one", tool: "more" },
      { name: "server", key: well.key, server: "two", tool: "more" },
      { name: "tenant", key: well.key, server: "one", tool: "wait" },
    ];
    const other = start(redisUrl, "call", JSON.stringify(calls));
    await other.next();
    other.go();
    const underWay = () =>
      upstreams.flatMap(({ requests }) => requests.filter(({ method }) => method === "tools/call"));
    await expect.poll(() => underWay().length, { timeout: 30_000 }).toBe(calls.length);

    const ended: { kind: string | undefined; ms: number; code: string | undefined }[] = [];
    const throwAndWait = async (targets: Readonly<Partial<Record<Kind, string>>>) => {
      const thrownAt = new Map<string | undefined, number>();
      for (const [kind, target] of Object.entries(targets)) {
        thrownAt.set(kind, Date.now());
        await perform(throwKillSwitch, world.tenant.ctx(), { kind, target, reason: "it went wild" });
      }
      for (const _ of thrownAt) {
        const { name, endedAt = Number.POSITIVE_INFINITY, code } = await other.next();
        ended.push({ kind: name, ms: endedAt - (thrownAt.get(name) ?? Number.NEGATIVE_INFINITY), code });
      }
    };
    await throwAndWait({ agent: ill.slug, tool: "one/more", server: "two" });
    await throwAndWait({ tenant: "" });
    await expect
      .poll(() => upstreams.reduce((sum, { left }) => sum + left(), 0), { timeout: 30_000 })
      .toBe(calls.length);
    return { ended, outcomes: await outcomesOf(world.tenant.tenantId) };
  } finally {
    await world.close();
    await leaveBus?.();
  }
}

/** Each call ended by the switch that is for it and by no other, in time, with an entry that says so. */
function expectAllKilled({ ended, outcomes }: Awaited<ReturnType<typeof killedElsewhere>>): void {
  expect(
    ended
      .map(({ kind }) => kind)
      .slice(0, 3)
      .sort(),
  ).toEqual(["agent", "server", "tool"]);
  expect(ended.at(3)?.kind).toBe("tenant");
  expect(new Set(ended.map(({ code }) => code))).toEqual(new Set(["killed"]));
  expect(ended.filter(({ ms }) => ms >= 5_000)).toEqual([]);
  for (const { kind = "" } of ended) expect(outcomes.get(kind)).toBe("killed");
}

describe("over two processes", () => {
  it("kill switches for agent, tool, server and tenant end calls within five seconds by the database alone", async () => {
    expectAllKilled(await killedElsewhere(null));
  });
});

const url = testRedisUrl ?? "";
describe.skipIf(url === "")(
  `over two processes with Redis${url === "" ? " (not run: set CS_TEST_REDIS_URL)" : ""}`,
  () => {
    it("kill switches for agent, tool, server and tenant end calls within five seconds", async () => {
      expectAllKilled(await killedElsewhere(url));
    });

    it("a limit of 100 per second holds within -5 % and +2 %", async () => {
      const passed = await spentByTwo(start, url, 8);
      expect(passed).toBeGreaterThanOrEqual(760);
      expect(passed).toBeLessThanOrEqual(816);
    });
  },
);
