import { afterEach, describe, expect, it, vi } from "vitest";
import { bus } from "@/lib/core/bus";
import { makeTenantCache } from "@/lib/core/tenant-cache";

const T = "tenant-1";

function world() {
  let now = 0;
  let source = 1;
  let reads = 0;
  const cache = makeTenantCache<number>({
    load: async () => {
      reads += 1;
      return source;
    },
    dropOn: (message) => message.topic === "role.changed",
    clock: { now: () => now },
  });
  return {
    cache,
    reads: () => reads,
    at: (ms: number) => {
      now = ms;
    },
    change: (value: number) => {
      source = value;
    },
  };
}

afterEach(() => void vi.useRealTimers());

describe("tenantCache", () => {
  it("reads once and answers the same until it is two seconds old", async () => {
    const { cache, reads, at, change } = world();
    expect(await cache.get(T)).toBe(1);
    change(2);
    at(900);
    expect(await cache.get(T)).toBe(1);
    expect(reads()).toBe(1);
    at(2_000);
    expect(await cache.get(T)).toBe(2);
  });

  it("reads as often when the time of day is set back", async () => {
    vi.useFakeTimers({ toFake: ["Date", "performance"] });
    let reads = 0;
    const cache = makeTenantCache<number>({ load: async () => (reads += 1) });
    await cache.get(T);
    vi.setSystemTime(Date.now() - 3_600_000);
    for (let second = 0; second < 600; second += 2) {
      vi.advanceTimersByTime(2_000);
      await cache.get(T);
    }
    expect(reads).toBe(301);
  });

  it("reads again in the background in its second half", async () => {
    const { cache, reads, at, change } = world();
    await cache.get(T);
    change(2);
    at(1_500);
    expect(await cache.get(T)).toBe(1);
    await Promise.resolve();
    await Promise.resolve();
    expect(await cache.get(T)).toBe(2);
    expect(reads()).toBe(2);
  });

  it("forgets at once what the bus names, for that tenant only", async () => {
    const { cache, reads, change } = world();
    await cache.get(T);
    await cache.get("tenant-2");
    change(2);
    bus.publish({ topic: "role.changed", tenantId: T });
    expect(await cache.get(T)).toBe(2);
    expect(await cache.get("tenant-2")).toBe(1);
    expect(reads()).toBe(3);
  });

  it("does not keep a read that began before the change was announced", async () => {
    const answers: ((value: number) => void)[] = [];
    const cache = makeTenantCache<number>({
      load: () => new Promise((resolve) => answers.push(resolve)),
      dropOn: () => true,
      clock: { now: () => 0 },
    });
    const early = cache.get(T);
    bus.publish({ topic: "role.changed", tenantId: T });
    const late = cache.get(T);
    answers[1]?.(2);
    expect(await late).toBe(2);
    answers[0]?.(1);
    expect(await early).toBe(1);
    expect(await cache.get(T)).toBe(2);
  });

  it("throws when the source fails instead of answering with what it had", async () => {
    let now = 0;
    let failing = false;
    const cache = makeTenantCache<number>({
      load: async () => {
        if (failing) throw new Error("database gone");
        return 1;
      },
      clock: { now: () => now },
    });
    await cache.get(T);
    failing = true;
    now = 2_000;
    await expect(cache.get(T)).rejects.toThrow("database gone");
    failing = false;
    expect(await cache.get(T)).toBe(1);
  });
});
