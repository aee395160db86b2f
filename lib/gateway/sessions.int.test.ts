import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectBus } from "@/lib/db/redis-bus";
import { bundleServer } from "@/lib/testing/door-processes";
import {
  chainsHold,
  changeMap,
  faultsOf,
  gatherSessions,
  measureSessions,
  misattributed,
  overAll,
} from "@/lib/testing/many-sessions";
import { withTestDatabase } from "@/lib/testing/test-database";
import { testRedisUrl } from "@/lib/testing/test-redis";

withTestDatabase();

const url = testRedisUrl ?? "";
const closers: (() => Promise<unknown> | unknown)[] = [];
let entry: string;
beforeAll(async () => {
  const server = await bundleServer();
  entry = server.entry;
  closers.push(server.remove);
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

describe("a hundred sessions", () => {
  let held: Awaited<ReturnType<typeof gatherSessions>>;
  beforeAll(async () => {
    held = await gatherSessions({ entry, count: 100, measured: true, env: { REDIS_URL: url } });
    closers.push(held.close);
  });

  it("are held while they call: none is dropped, none is given another's answer, and each costs little", async () => {
    const { child, sessions, tenants } = held;
    const figures = await measureSessions(child, sessions, { forMs: 2_000, everyMs: 500 });
    expect(faultsOf(sessions)).toEqual([]);
    expect(figures.calls).toBeGreaterThanOrEqual(300);
    expect(sessions.filter(({ session }) => session.isListening())).toHaveLength(50);
    expect(await misattributed(sessions, tenants)).toEqual([]);
    expect(await chainsHold(tenants)).toBe(true);
    // What lives, not what is resident: with so few the system's rounding would say more than the sessions.
    expect(figures.liveKbPerSession).toBeLessThanOrEqual(150);
  });

  it.skipIf(url === "")(
    `hear of a change on their streams, and of no other tenant's${url === "" ? " (not run: set CS_TEST_REDIS_URL)" : ""}`,
    async () => {
      const { sessions, tenants } = held;
      closers.push(await connectBus(url));
      const [changed, other] = tenants;
      const heardBy = (tenant: typeof changed) =>
        sessions
          .filter((each) => each.tenant === tenant && each.session.isListening())
          .map(({ session }) => session.held.heard.filter((method) => method.endsWith("tools/list_changed")).length);
      const before = heardBy(other);
      if (changed !== undefined) await changeMap(changed, "work:do-else");
      await expect.poll(() => heardBy(changed), { timeout: 20_000 }).toEqual(Array.from({ length: 25 }, () => 1));
      expect(heardBy(other)).toEqual(before);
    },
  );

  it("would be seen to be given another's answer, and to be dropped", async () => {
    const { child, sessions, tenants, upstream } = held;
    const [one, other] = sessions;
    if (one === undefined || other === undefined) throw new Error("There are no sessions.");
    expect(await misattributed([{ ...one, agentId: other.agentId }], tenants)).toEqual(one.session.held.entries);
    upstream.setFault("is-error");
    await one.session.call();
    expect(faultsOf([one])).toHaveLength(1);
    child.kill("SIGKILL");
    const broken = () => sessions.filter(({ session }) => session.held.faults.some((text) => text.includes("broke")));
    await expect.poll(() => broken().length, { timeout: 20_000 }).toBe(50);
  });
});

describe("five hundred callers at once", () => {
  it("are all answered by a server that takes 5 ms", async () => {
    const { sessions, tenants, close } = await gatherSessions({ entry, count: 500, upstreamMs: 5 });
    closers.push(close);
    for (let round = 0; round < 2; round += 1)
      await overAll(sessions, sessions.length, ({ session }) => session.call());
    expect(faultsOf(sessions)).toEqual([]);
    expect(await misattributed(sessions, tenants)).toEqual([]);
  });
});
