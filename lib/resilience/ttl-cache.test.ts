import { describe, expect, it } from "vitest";
import { makeTtlCache } from "@/lib/resilience/ttl-cache";

function setup(ttlMs = 100, max = 2) {
  let now = 0;
  let loads = 0;
  const cache = makeTtlCache<string, string>({
    ttlMs,
    max,
    now: () => now,
    load: async (key) => {
      loads += 1;
      if (key === "bad") throw new Error("no");
      return `${key}${loads}`;
    },
  });
  return { cache, tick: (ms: number) => (now += ms), loads: () => loads };
}

describe("ttl cache", () => {
  it("answers a hit synchronously until the value is too old", async () => {
    const { cache, tick } = setup();
    expect(await cache.get("a")).toBe("a1");
    expect(cache.get("a")).toBe("a1");
    tick(100);
    expect(await cache.get("a")).toBe("a2");
  });

  it("shares a load in flight and forgets a failed one", async () => {
    const { cache, loads } = setup();
    await Promise.all([cache.get("a"), cache.get("a")]);
    expect(loads()).toBe(1);
    await expect(cache.get("bad")).rejects.toThrow();
    await expect(cache.get("bad")).rejects.toThrow();
    expect(loads()).toBe(3);
  });

  it("does not keep a value whose key was dropped while it was loading", async () => {
    const { cache } = setup();
    const stale = cache.get("a");
    cache.drop("a");
    await stale;
    expect(await cache.get("a")).toBe("a2");
  });

  it("stays within its bound", async () => {
    const { cache } = setup();
    for (const key of ["a", "b", "c"]) await cache.get(key);
    expect(cache.size()).toBe(2);
  });
});
