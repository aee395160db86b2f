import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { makeSeats } from "@/lib/resilience/seats";

describe("seats", () => {
  it("seats at once, lets few wait in order, refuses the rest, and takes a place back once", async () => {
    const seats = makeSeats(1, 2);
    const first = seats.enter(1_000);
    const order: string[] = [];
    const waiters = ["b", "c"].map(async (name) => {
      const leave = await seats.enter(1_000);
      order.push(name);
      if (typeof leave === "function") leave();
    });
    expect(seats.enter(1_000)).toBeNull();
    expect(seats.figures()).toEqual({ inUse: 1, queued: 2, exhausted: 3, refused: 1 });
    if (typeof first !== "function") throw new Error("not seated");
    first();
    first();
    await Promise.all(waiters);
    expect(order).toEqual(["b", "c"]);
    expect(seats.figures()).toMatchObject({ inUse: 0, queued: 0 });
  });

  it("lets nobody wait longer than they may, and forgets who left", async () => {
    const seats = makeSeats(1, 2);
    void seats.enter(1_000);
    const caller = new AbortController();
    const waiting = seats.enter(1_000, caller.signal);
    expect(await seats.enter(10)).toBe("timeout");
    caller.abort();
    expect(await waiting).toBe("cancelled");
    expect(await seats.enter(1_000, caller.signal)).toBe("cancelled");
    expect(getEventListeners(caller.signal, "abort")).toHaveLength(0);
    expect(seats.figures()).toMatchObject({ inUse: 1, queued: 0 });
  });
});
