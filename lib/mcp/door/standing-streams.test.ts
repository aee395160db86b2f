import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Caller } from "@/lib/core/leaving";
import { endStandingStreams, holdStream } from "@/lib/mcp/door/standing-streams";

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  endStandingStreams();
  vi.useRealTimers();
});

const MINUTE = 60_000;

it("ends streams that began together one after the other, within the fifth minute", async () => {
  let ended = 0;
  for (let nth = 0; nth < 300; nth += 1) void holdStream(`holder-${nth}`, new Caller()).over.then(() => (ended += 1));
  await vi.advanceTimersByTimeAsync(4 * MINUTE - 1);
  expect(ended).toBe(0);
  const perSixth: number[] = [];
  for (let before = 0; perSixth.length < 6; before = ended) {
    await vi.advanceTimersByTimeAsync(MINUTE / 6 + 1);
    perSixth.push(ended - before);
  }
  expect(ended).toBe(300);
  // Fifty on average; were they to end at once, all would be in one part.
  expect(Math.max(...perSixth)).toBeLessThan(100);
});

it("ends with its caller, and counts what a holder has open", async () => {
  const caller = new Caller();
  const { over } = holdStream("one", caller);
  for (let nth = 1; nth < 32; nth += 1) holdStream("one", new Caller());
  expect(() => holdStream("one", new Caller())).toThrow("No more than 32");
  caller.leave();
  await over;
  expect(() => holdStream("one", new Caller())).not.toThrow();
});
