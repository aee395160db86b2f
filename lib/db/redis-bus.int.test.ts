import { createClient } from "redis";
import { describe, expect, it, vi } from "vitest";
import { bus } from "@/lib/core/bus";
import { newId } from "@/lib/core/ids";
import { connectBus } from "@/lib/db/redis-bus";
import { env } from "@/lib/env";
import { testRedisUrl } from "@/lib/testing/test-redis";

const url = testRedisUrl ?? "";
const channel = `${env().REDIS_PREFIX}:bus`;

describe.skipIf(url === "")(`the bus over Redis${url === "" ? " (not run: set CS_TEST_REDIS_URL)" : ""}`, () => {
  it("carries messages both ways, its own not back, and survives nonsense", async () => {
    const heard = vi.fn();
    // Others may use the same Redis: this test looks at its own tenant only.
    const tenantId = newId();
    const unsubscribe = bus.subscribe((message) => {
      if ("tenantId" in message && message.tenantId === tenantId) heard(message);
    });
    const close = await connectBus(url);
    const other = createClient({ url });
    const watcher = createClient({ url });
    await Promise.all([other.connect(), watcher.connect()]);
    const passed: string[] = [];
    await watcher.subscribe(channel, (text) => {
      if (text.includes(tenantId)) passed.push(text);
    });

    await other.publish(channel, "not json");
    await other.publish(channel, JSON.stringify({ from: "x", message: { topic: "made.up", tenantId: "t" } }));
    const message = { topic: "agent.changed", tenantId, agentId: "a" } as const;
    await other.publish(channel, JSON.stringify({ from: "x", message }));
    await vi.waitFor(() => expect(heard.mock.calls).toEqual([[message]]));

    bus.publish({ topic: "role.changed", tenantId });
    bus.publish({ topic: "entry.appended", tenantId, seq: 1 });
    await vi.waitFor(() => expect(passed).toHaveLength(2));
    await new Promise((resolve) => setTimeout(resolve, 100));
    // Twice heard in process (role.changed, entry.appended), never a second time by way of Redis.
    expect(heard).toHaveBeenCalledTimes(3);

    unsubscribe();
    await close();
    for (const client of [other, watcher]) client.destroy();
  });
});

/** Of the four megabytes that the door takes, sealed and in base64. */
const MOST_CHARS = 5_600_000;

it.skipIf(url === "")("carries a client's answer as large as the door takes", async () => {
  const ask = newId();
  let length = 0;
  const unsubscribe = bus.subscribe((message) => {
    if (message.topic === "client.answered" && message.ask === ask) length = message.answer.length;
  });
  const close = await connectBus(url);
  const other = createClient({ url });
  await other.connect();
  const message = { topic: "client.answered", ask, owner: "somebody", answer: "x".repeat(MOST_CHARS) };
  await other.publish(channel, JSON.stringify({ from: "x", message }));
  await vi.waitFor(() => expect(length).toBe(MOST_CHARS), { timeout: 5_000 });
  unsubscribe();
  await close();
  other.destroy();
});

it("does not hold up the start when Redis is away", async () => {
  const startedAt = performance.now();
  const close = await connectBus("redis://127.0.0.1:1");
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  bus.publish({ topic: "role.changed", tenantId: "t" });
  await close();
});
