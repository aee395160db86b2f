import { afterEach, describe, expect, it, vi } from "vitest";
import { type Heard, makeNoiseLimit } from "@/lib/mcp/upstream/noise";

function listen() {
  const state = { now: 0, faults: 0 };
  const count = makeNoiseLimit(
    () => {
      state.faults += 1;
    },
    () => state.now,
  );
  const hear = (times: number, heard: Heard, bytes = 10) => {
    for (let each = 0; each < times; each += 1) count(bytes, heard);
    return state.faults;
  };
  return { state, hear };
}

afterEach(() => vi.useRealTimers());

describe("the limit of noise", () => {
  it("goes by no time of day, which may be set back", async () => {
    vi.useFakeTimers();
    const giveUp = vi.fn();
    const count = makeNoiseLimit(giveUp);
    for (let each = 0; each < 60; each += 1) count(10, "unreadable");
    vi.setSystemTime(Date.now() - 3_600_000);
    await vi.advanceTimersByTimeAsync(11_000);
    for (let each = 0; each < 60; each += 1) count(10, "unreadable");
    expect(giveUp).not.toHaveBeenCalled();
  });

  it("counts within a while only", () => {
    const { state, hear } = listen();
    expect(hear(10, "message", 1 << 20)).toBe(0);
    state.now += 11_000;
    expect(hear(10, "message", 1 << 20)).toBe(0);
    expect(hear(1, "message", 1)).toBe(1);
  });

  it.each([
    ["message", 100_000],
    ["stray", 10_000],
    ["ping", 1_000],
    ["asked", 200],
    ["unreadable", 100],
  ] as const)("lets a %s come %d times", (heard, most) => {
    const { hear } = listen();
    expect(hear(most, heard)).toBe(0);
    expect(hear(1, heard)).toBe(1);
  });

  it("counts no answers that somebody waited for", () => {
    expect(listen().hear(1_000_000, "answer", 1 << 20)).toBe(0);
  });
});
