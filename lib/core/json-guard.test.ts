import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasMoreValuesThan, nestsDeeperThan, parseJsonGuarded, readBounded } from "@/lib/core/json-guard";

const bytes = (text: string) => new TextEncoder().encode(text);
const limits = { maxBytes: 1000, maxDepth: 4 };

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function valuesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, each) => sum + valuesIn(each), 1);
}

describe("parseJsonGuarded", () => {
  it("takes what fits and refuses one level more", () => {
    expect(parseJsonGuarded(bytes('{"a":[[[1]]]}'), limits)).toEqual({ a: [[[1]]] });
    expect(() => parseJsonGuarded(bytes('{"a":[[[[1]]]]}'), limits)).toThrow(/deeper than 4/);
  });

  it("does not count brackets inside strings", () => {
    expect(parseJsonGuarded(bytes(JSON.stringify({ a: '[[[[[[[[\\"[[[' })), limits)).toEqual({ a: '[[[[[[[[\\"[[[' });
  });

  it("refuses size, broken JSON and broken UTF-8", () => {
    expect(() => parseJsonGuarded(bytes(`"${"x".repeat(1000)}"`), limits)).toThrow(/larger than 1000/);
    expect(() => parseJsonGuarded(bytes("{"), limits)).toThrow(/not valid JSON/);
    expect(() => parseJsonGuarded(new Uint8Array([0x22, 0xff, 0x22]), limits)).toThrow(/not valid JSON/);
  });

  it("refuses a million brackets quickly", () => {
    const started = performance.now();
    expect(() => parseJsonGuarded(bytes("[".repeat(900)), limits)).toThrow(/deeper/);
    expect(nestsDeeperThan(bytes("[".repeat(1_000_000)), 64)).toBe(true);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it("refuses a value too many, wherever it stands, and none for its text", () => {
    const few = { maxBytes: 1_000, maxDepth: 8, maxValues: 5 };
    expect(parseJsonGuarded(bytes('{"a,,,,,,,":[1 , [ ], "[,],,,,,,,,"]}'), few)).toEqual({
      "a,,,,,,,": [1, [], "[,],,,,,,,,"],
    });
    expect(() => parseJsonGuarded(bytes('{"a":[1 , [ ], ",", 4]}'), few)).toThrow(/more than 5 values/);
  });

  it("counts values as a walk over the parsed value does", () => {
    const texts = fc.tuple(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 1, 3));
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 12 }), ([value, indent], maxValues) => {
        // Without the shortcut for what is short.
        const text = JSON.stringify(value, null, indent).padEnd(2 * maxValues);
        expect(hasMoreValuesThan(bytes(text), maxValues)).toBe(valuesIn(value) > maxValues);
      }),
      { numRuns: 1_000 },
    );
  });

  it("counts depth as a walk over the parsed value does", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.integer({ min: 0, max: 9 }), (value, maxDepth) => {
        expect(nestsDeeperThan(bytes(JSON.stringify(value)), maxDepth)).toBe(depthOf(value) > maxDepth);
      }),
    );
  });
});

describe("readBounded", () => {
  it("stops a body that grows past the limit without saying so", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(100));
      },
    });
    const request = new Request("http://x/", { method: "POST", body, duplex: "half" } as RequestInit);
    await expect(readBounded(request, 1000)).rejects.toMatchObject({ code: "payload_too_large" });
    expect(pulled).toBeLessThan(20);
  });
});
