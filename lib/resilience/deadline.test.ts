import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { startDeadline } from "@/lib/resilience/deadline";

describe("deadline", () => {
  it("stops by time", async () => {
    const deadline = startDeadline(10);
    let taken = 0;
    deadline.onStop(() => (taken += 1))();
    await new Promise<void>((resolve) => deadline.onStop(resolve));
    expect(deadline.stopped()).toBe("timeout");
    expect(taken).toBe(0);
    deadline.release();
  });

  it("stops when the caller leaves, and leaves nothing behind", () => {
    const caller = new AbortController();
    const released = startDeadline(1_000, caller.signal);
    released.release();
    expect(getEventListeners(caller.signal, "abort")).toHaveLength(0);
    const deadline = startDeadline(1_000, caller.signal);
    caller.abort();
    expect(deadline.stopped()).toBe("cancelled");
    expect(startDeadline(1_000, caller.signal).stopped()).toBe("cancelled");
    deadline.release();
  });
});
