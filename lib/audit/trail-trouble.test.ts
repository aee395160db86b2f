import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { noteAppend, noteFault, TROUBLE_REST_MS, troubleTold, untoldTroubles } from "@/lib/audit/trail-trouble";
import { AppError } from "@/lib/core/errors";

const START = 1_800_000_000_000;
const refused = new AppError("audit_unavailable", "The audit trail cannot take this entry now.");

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  vi.useRealTimers();
  // What was noted here is nobody else's.
  for (const trouble of untoldTroubles()) troubleTold(trouble);
  untoldTroubles(Number.POSITIVE_INFINITY);
});

const later = (ms: number) => vi.setSystemTime(Date.now() + ms);
const one = () => untoldTroubles()[0];

describe("trouble with the trail", () => {
  it("is nothing as long as entries are written in time, or are the caller's own mistake", () => {
    noteAppend("t", 1_999);
    noteAppend("t", 10, new AppError("invalid_input", "no"));
    expect(untoldTroubles()).toEqual([]);
  });

  it("lasts from when the first entry came to when the last was refused, with what was wrong", () => {
    noteFault(Object.assign(new Error("connect ECONNREFUSED 10.0.0.7:5432"), { code: "ECONNREFUSED" }));
    noteAppend("t", 5_000, refused);
    later(20_000);
    noteAppend("t", 5_000, refused);
    noteAppend("t", 3_000);
    expect(untoldTroubles()).toEqual([
      {
        ...{ tenantId: "t", since: START - 5_000, lastAt: START + 20_000, isOver: false, refused: 2, slow: 1 },
        // In words: where the database is, is for the log.
        ...{ longestMs: 5_000, cause: "the database cannot be reached" },
      },
    ]);
  });

  it("is kept until somebody has taken it over, however long that takes", () => {
    noteAppend("t", 5_000, refused);
    noteAppend("t", 5);
    later(3_600_000);
    expect(one()).toMatchObject({ refused: 1, isOver: true });
    const [trouble] = untoldTroubles();
    if (trouble !== undefined) troubleTold(trouble);
    expect(untoldTroubles()).toEqual([]);
  });

  it("is told again when it goes on, and is another one after a rest", () => {
    noteAppend("t", 5_000, refused);
    const [first] = untoldTroubles();
    if (first !== undefined) troubleTold(first);
    later(10_000);
    noteAppend("t", 5_000, refused);
    expect(one()).toMatchObject({ since: START - 5_000, refused: 2 });
    const [second] = untoldTroubles();
    if (second !== undefined) troubleTold(second);
    later(TROUBLE_REST_MS + 1);
    noteAppend("t", 5_000, refused);
    expect(one()).toMatchObject({ refused: 1 });
  });

  it("is each tenant's own", () => {
    noteAppend("t", 5_000, refused);
    noteAppend("u", 1);
    expect(untoldTroubles().map(({ tenantId }) => tenantId)).toEqual(["t"]);
  });
});
