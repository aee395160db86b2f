import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Finding, findingOf, judge, type Patience, type Standing } from "@/lib/alerts/judge";

const MINUTE = 60_000;
const patience = (over: Partial<Patience> = {}): Patience => ({
  ...{ holdMs: 0, wellRounds: 3, quietMs: 10 * MINUTE, worse: "higher" },
  ...over,
});

describe("findingOf", () => {
  const p95 = { metric: "p95_ms", threshold: 5_000, minCalls: 20 } as const;
  const errors = { metric: "error_rate", threshold: 0.05, minCalls: 20 } as const;
  const there = { metric: "availability", threshold: 0.99, minCalls: 20 } as const;
  it.each([
    [p95, { calls: 20, bad: 20, value: 5_001 }, "broken"],
    [p95, { calls: 20, bad: 20, value: 5_000 }, "between"],
    [p95, { calls: 20, bad: 20, value: 4_501 }, "between"],
    [p95, { calls: 20, bad: 20, value: 4_500 }, "well"],
    [p95, { calls: 19, bad: 19, value: 60_000 }, "quiet"],
    [p95, { calls: 0, bad: 0, value: null }, "quiet"],
    [errors, { calls: 100, bad: 6, value: 0.06 }, "broken"],
    [errors, { calls: 100, bad: 5, value: 0.05 }, "between"],
    [errors, { calls: 200, bad: 9, value: 0.045 }, "well"],
    [there, { calls: 100, bad: 2, value: 0.98 }, "broken"],
    // Exactly the threshold is not below it, whatever 1 - 0.99 is to a computer.
    [there, { calls: 100, bad: 1, value: 0.99 }, "between"],
    [there, { calls: 1_000, bad: 9, value: 0.991 }, "well"],
    // One call of twenty is 95 %, and no alert.
    [there, { calls: 20, bad: 1, value: 0.95 }, "between"],
    [there, { calls: 20, bad: 2, value: 0.9 }, "broken"],
    [{ ...there, threshold: 1 }, { calls: 50, bad: 0, value: 1 }, "well"],
    [{ ...errors, threshold: 0 }, { calls: 50, bad: 2, value: 0.04 }, "broken"],
  ])("%o with %o is %s", (rule, measured, kind) => expect(findingOf(rule, measured).kind).toBe(kind));
});

const broken = (value = 7_000): Finding => ({ kind: "broken", value, calls: 30 });
const well: Finding = { kind: "well", value: 100, calls: 30 };
const between: Finding = { kind: "between", value: 4_800, calls: 30 };
const quiet: Finding = { kind: "quiet", calls: 2 };

const run = (findings: readonly Finding[], given: Patience, stepMs = 10_000): readonly (Standing | null)[] => {
  let standing: Standing | null = null;
  return findings.map((found, index) => {
    standing = judge(standing, found, index * stepMs, given);
    return standing;
  });
};
const states = (findings: readonly Finding[], given = patience()) => run(findings, given).map((each) => each?.state);

describe("judge", () => {
  it("fires with the first broken evaluation when nothing holds it back", () => {
    expect(run([well, broken()], patience())[1]).toMatchObject({ state: "firing", since: 10_000, firedAt: 10_000 });
  });

  it("waits for as long as it is held back, and says since when it was broken", () => {
    const held = patience({ holdMs: 20_000 });
    expect(states([broken(), broken(), broken(), broken()], held)).toEqual(["pending", "pending", "firing", "firing"]);
    expect(run([broken(), broken(), broken()], held)[2]).toMatchObject({ since: 0, firedAt: 20_000 });
    expect(states([broken(), between, broken(), broken()], held)).toEqual([
      "pending",
      "resolved",
      "pending",
      "pending",
    ]);
    expect(states([broken(), quiet], held)).toEqual(["pending", "resolved"]);
  });

  it("counts from when it began, where that is known", () => {
    const since = { kind: "broken", since: -30_000 } as const;
    expect(run([since], patience({ holdMs: 20_000 }))[0]).toMatchObject({
      state: "firing",
      since: -30_000,
      firedAt: 0,
    });
  });

  it("is over only after it was well several times in a row", () => {
    expect(states([broken(), well, well, well])).toEqual(["firing", "firing", "firing", "resolved"]);
    expect(states([broken(), well, well, broken(), well, well, well])).toEqual([
      ...["firing", "firing", "firing", "firing", "firing", "firing", "resolved"],
    ]);
    expect(states([broken(), well, well, between, well, well, well]).at(-2)).toBe("firing");
    expect(states([broken(), well, quiet, well, well]).at(-1)).toBe("firing");
  });

  it("keeps how it stands without calls, and is over for want of them in the end", () => {
    const given = patience({ quietMs: 30_000 });
    expect(states([broken(), quiet, quiet, quiet, quiet], given)).toEqual([
      ...["firing", "firing", "firing", "firing", "resolved"],
    ]);
    expect(states([broken(), quiet, quiet, broken(), quiet, quiet, quiet], given).at(-1)).toBe("firing");
    expect(run([broken(), quiet], given)[1]).toMatchObject({ value: 7_000, quietSince: 10_000 });
  });

  it("remembers the worst, whichever way is worse", () => {
    expect(run([broken(7_000), broken(9_000), broken(6_000)], patience())[2]).toMatchObject({
      value: 6_000,
      worst: 9_000,
    });
    const lower = patience({ worse: "lower" });
    expect(run([broken(0.9), broken(0.5), broken(0.8)], lower)[2]).toMatchObject({ value: 0.8, worst: 0.5 });
  });
});

const finding = fc.oneof(
  fc.record({ kind: fc.constant("broken" as const), value: fc.double({ min: 5_001, max: 60_000, noNaN: true }) }),
  fc.constant(well),
  fc.constant(between),
  fc.constant(quiet),
);
const anyPatience = fc.record({
  holdMs: fc.integer({ min: 0, max: 60_000 }),
  wellRounds: fc.integer({ min: 1, max: 5 }),
  quietMs: fc.integer({ min: 0, max: 120_000 }),
  worse: fc.constantFrom("higher" as const, "lower" as const),
});

describe("whatever is found", () => {
  const all = fc.tuple(fc.array(finding, { maxLength: 60 }), anyPatience, fc.integer({ min: 1, max: 30_000 }));

  it("fires only after being broken for as long as it is held back, without a break", () => {
    fc.assert(
      fc.property(all, ([findings, given, stepMs]) => {
        run(findings, given, stepMs).forEach((standing, index, standings) => {
          if (standing?.state !== "firing" || standings[index - 1]?.state === "firing") return;
          const first = Math.ceil(standing.since / stepMs);
          expect(findings.slice(first, index + 1).every(({ kind }) => kind === "broken")).toBe(true);
          expect(index * stepMs - standing.since).toBeGreaterThanOrEqual(given.holdMs);
        });
      }),
    );
  });

  it("ends a firing alert only after enough good evaluations in a row, or after enough silence", () => {
    fc.assert(
      fc.property(all, ([findings, given, stepMs]) => {
        run(findings, given, stepMs).forEach((standing, index, standings) => {
          if (standing?.state !== "resolved" || standings[index - 1]?.state !== "firing") return;
          const last = findings.slice(index + 1 - given.wellRounds, index + 1);
          const calmed = last.length === given.wellRounds && last.every(({ kind }) => kind === "well");
          const silent = standing.quietSince !== null && index * stepMs - standing.quietSince >= given.quietMs;
          expect(calmed || silent).toBe(true);
        });
      }),
    );
  });

  it("moves only forward, and never loses what it knew", () => {
    const next: Readonly<Record<string, readonly string[]>> = {
      none: ["pending", "firing"],
      pending: ["firing", "resolved"],
      firing: ["resolved"],
      resolved: ["pending", "firing"],
    };
    fc.assert(
      fc.property(all, ([findings, given, stepMs]) => {
        run(findings, given, stepMs).forEach((standing, index, standings) => {
          const before = standings[index - 1] ?? null;
          const [from, to] = [before?.state ?? "none", standing?.state ?? "none"];
          if (from === "resolved" && to === "none") return;
          if (from !== to) expect(next[from]).toContain(to);
          else if (standing !== null && before !== null) {
            expect(standing.since).toBe(before.since);
            expect(standing.firedAt).toBe(before.firedAt);
          }
        });
      }),
    );
  });

  it("is the same after a restart: what is stored between two evaluations is all that counts", () => {
    fc.assert(
      fc.property(all, fc.integer({ min: 0, max: 60 }), ([findings, given, stepMs], at) => {
        let stored: Standing | null = null;
        const restarted = findings.map((found, index) => {
          if (index === at) stored = JSON.parse(JSON.stringify(stored)) as Standing | null;
          stored = judge(stored, found, index * stepMs, given);
          return stored;
        });
        expect(restarted).toEqual(run(findings, given, stepMs));
      }),
    );
  });
});
