import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { AppError } from "@/lib/core/errors";
import { resetSingleton } from "@/lib/core/singleton";
import { promiseMemory } from "@/lib/mcp/upstream/answer-memory";
import { AnswerReader } from "@/lib/mcp/upstream/answer-reader";
import { voteOf } from "@/lib/mcp/upstream/faults";

const MEGABYTE = 1_024 * 1_024;
const PIECE = 64 * 1_024;

beforeEach(() => {
  vi.stubEnv("ANSWER_MEMORY_MB", "64");
  for (const name of ["env", "upstream.answer-memory"]) resetSingleton(name);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  for (const name of ["env", "upstream.answer-memory"]) resetSingleton(name);
});
/** From now on buffers take so much, whatever they take. */
const buffersTake = (arrayBuffers: number) =>
  vi.spyOn(process, "memoryUsage").mockReturnValue({ arrayBuffers } as never);

const tryPromise = (bytes: number): boolean => {
  try {
    promiseMemory(bytes).end();
    return true;
  } catch {
    return false;
  }
};

function reader(headers: Readonly<Record<string, string>> = {}) {
  const faults: AppError[] = [];
  const nothing = () => undefined;
  const made = new AnswerReader({ onEvent: nothing, onLargeEvent: nothing, onFault: (fault) => faults.push(fault) });
  made.begin(200, headers);
  return {
    faults,
    take: (pieces: number) => {
      for (let at = 0; at < pieces; at += 1) made.take(Buffer.alloc(PIECE, at));
    },
    body: () => made.body(),
    release: () => made.release(),
  };
}

it("lets no more large answers in than there is memory for, and each that was let in arrive whole", () => {
  buffersTake(64 * MEGABYTE - 15 * MEGABYTE);
  const [first, second, small] = [reader(), reader(), reader()];
  first.take(8);
  second.take(8);
  small.take(3);
  expect([first.faults.length, second.faults.length, small.faults.length]).toEqual([0, 1, 0]);
  expect(small.body()?.length).toBe(3 * PIECE);
  first.take(100);
  expect(first.faults).toEqual([]);
  expect(first.body()?.length).toBe(108 * PIECE);
  // What was promised is free once the answer is there, or given up.
  first.release();
  for (let turn = 0; turn < 3; turn += 1) {
    const next = reader();
    next.take(8);
    expect(next.faults).toEqual([]);
    next.release();
  }
});

it("holds no server responsible for what it refuses", () => {
  buffersTake(64 * MEGABYTE);
  const refused = reader();
  refused.take(20);
  const [fault, ...more] = refused.faults;
  expect(fault).toMatchObject({ code: "upstream_protocol", detail: { retryAfterMs: 1_000 } });
  expect(more).toEqual([]);
  expect(fault && voteOf(fault)).toBe("abstain");
});

it("counts events while they are incomplete, and only then", () => {
  buffersTake(64 * MEGABYTE - 15 * MEGABYTE);
  const stream = () => reader({ "content-type": "text/event-stream" });
  const [open, other] = [stream(), stream()];
  open.take(8);
  other.take(8);
  expect([open.faults.length, other.faults.length]).toEqual([0, 1]);
});

it("has answers that were sent long ago collected, and not all the time", async () => {
  const usage = buffersTake(100 * MEGABYTE);
  expect(() => promiseMemory(1)).toThrow(/too many large answers/);
  expect(usage).toHaveBeenCalledTimes(2);
  expect(() => promiseMemory(1)).toThrow(/too many large answers/);
  expect(usage).toHaveBeenCalledTimes(3);
  vi.restoreAllMocks();
  resetSingleton("upstream.answer-memory");
  // Nobody but the collector gives back what nobody holds any more.
  const held = Array.from({ length: 12 }, () => Buffer.alloc(9 * MEGABYTE, 1));
  expect(process.memoryUsage().arrayBuffers).toBeGreaterThan(100 * MEGABYTE);
  held.length = 0;
  // V8 gives buffers back aside, a moment later.
  await expect.poll(() => tryPromise(10 * MEGABYTE), { timeout: 10_000 }).toBe(true);
});

it("is not taken by what a server only announces, and all of it arrives in order", () => {
  const before = process.memoryUsage().arrayBuffers;
  const announcing = Array.from({ length: 20 }, () => reader({ "content-length": "10000000" }));
  for (const each of announcing) each.take(3);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * MEGABYTE);
  const whole = reader({ "content-length": String(50 * PIECE) });
  whole.take(50);
  const pieces = Array.from({ length: 50 }, (_, at) => Buffer.alloc(PIECE, at));
  expect(Buffer.from(whole.body() ?? []).equals(Buffer.concat(pieces))).toBe(true);
});
