import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type StoredChange, timelineOf } from "@/lib/metrics/circuit-bands";

const STATES = ["closed", "open", "half-open", "forced-open", "disabled"] as const;
const at = (time: number, state: StoredChange["state"], by: string | null = null): StoredChange => ({
  ...{ at: time, state, reason: `${state} since ${time}`, by },
});
const iso = (time: number) => new Date(time).toISOString();

describe("the timeline of a circuit", () => {
  it("is closed where nothing ever happened", () => {
    const { opens, timeIn, bands } = timelineOf([], { from: 0, to: 100 });
    expect(bands).toEqual([{ from: iso(0), to: iso(100), state: "closed", reason: null, by: null }]);
    expect({ opens, closed: timeIn.closed }).toEqual({ opens: 0, closed: 100 });
  });

  it("begins with the last state before it, and that opening is not counted in it", () => {
    const { opens, timeIn, bands } = timelineOf([at(-50, "open")], { from: 0, to: 100 });
    expect(bands).toEqual([{ from: iso(0), to: iso(100), state: "open", reason: "open since -50", by: null }]);
    expect({ opens, open: timeIn.open }).toEqual({ opens: 0, open: 100 });
  });

  it("tells the whole story with its reasons, and each opening once though two processes told of it", () => {
    const story = [at(10, "open"), at(12, "open"), at(30, "half-open"), at(40, "open"), at(60, "half-open")];
    const { opens, timeIn, bands } = timelineOf([...story, at(70, "closed"), at(90, "forced-open", "Ann")], {
      from: 0,
      to: 100,
    });
    expect(bands.map(({ state, from }) => [state, Date.parse(from)])).toEqual([
      ["closed", 0],
      ["open", 10],
      ["half-open", 30],
      ["open", 40],
      ["half-open", 60],
      ["closed", 70],
      ["forced-open", 90],
    ]);
    expect(bands.at(-1)).toMatchObject({ by: "Ann", reason: "forced-open since 90", to: iso(100) });
    expect(opens).toBe(3);
    expect(timeIn).toEqual({ closed: 30, open: 40, "half-open": 20, "forced-open": 10, disabled: 0 });
  });

  it("covers the time without gap or overlap, and its times in each state add up to it", () => {
    const change = fc.record({ time: fc.integer({ min: -500, max: 1_500 }), state: fc.constantFrom(...STATES) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 1_200 }), (changes) => {
        const inOrder = changes.sort((left, right) => left.time - right.time).map(({ time, state }) => at(time, state));
        const { bands, timeIn } = timelineOf(inOrder, { from: 0, to: 1_000 });
        expect(bands[0]?.from).toBe(iso(0));
        expect(bands.at(-1)?.to).toBe(iso(1_000));
        for (const [index, band] of bands.entries()) if (index > 0) expect(band.from).toBe(bands[index - 1]?.to);
        expect(Object.values(timeIn).reduce((sum, ms) => sum + ms, 0)).toBe(1_000);
      }),
      { numRuns: 50 },
    );
  });

  it("keeps a band for what was open, however many changes there were", () => {
    const flapping = Array.from({ length: 20_000 }, (_, index) => at(index, index % 100 === 99 ? "open" : "closed"));
    const { bands, opens } = timelineOf(flapping, { from: 0, to: 20_000 });
    expect(opens).toBe(200);
    expect(bands.length).toBeLessThanOrEqual(800);
    const many = Array.from({ length: 20_000 }, (_, index) => at(index, index % 2 === 1 ? "open" : "closed"));
    const drawn = timelineOf(many, { from: 0, to: 20_000 });
    expect(drawn.bands.length).toBeLessThanOrEqual(800);
    expect(drawn.bands.some(({ state }) => state === "open")).toBe(true);
    expect(drawn.timeIn.open).toBe(10_000);
  });
});
