import fc from "fast-check";
import { expect, it } from "vitest";
import { type JsonEvents, JsonFault, JsonScanner } from "@/lib/core/json-scanner";

const SILENT: JsonEvents = { maxDepth: -1, onName: () => undefined, onValue: () => undefined, onEnd: () => undefined };

/** The compact text, or null for what is no JSON. */
function scanned(bytes: Uint8Array, step: number, events = SILENT): string | null {
  const own = Buffer.from(bytes);
  const scanner = new JsonScanner(own, 64, events);
  try {
    while (!scanner.step(step));
    return own.toString("utf8", 0, scanner.length);
  } catch (cause) {
    if (cause instanceof JsonFault) return null;
    throw cause;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
/** What the platform makes of it. */
function parsed(bytes: Uint8Array): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(utf8.decode(bytes)) };
  } catch {
    return null;
  }
}

const space = fc.array(fc.constantFrom(" ", "\n", "\r", "\t"), { maxLength: 3 }).map((each) => each.join(""));
/** Pieces of which texts are made that are JSON now and then, and nearly JSON most of the time. */
const token = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("{", "}", "[", "]", ",", ":", '"', '"a"', '"a":', "\\", "[]", "{}") },
  {
    weight: 3,
    arbitrary: fc.constantFrom("0", "-", "1", "00", "1.5", ".5", "1.", "1e3", "1E+07", "-0.0e-1", "e", "+1"),
  },
  { weight: 2, arbitrary: fc.constantFrom("true", "false", "null", "tru", "nul", "NaN", "Infinity", "undefined") },
  {
    weight: 2,
    arbitrary: fc.constantFrom('"\\n"', '"\\u00e9"', '"\\ud800"', '"\\x"', '"\\u12"', '"\u0001"', '"é"', '"\u2028"'),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 3 }) },
  { weight: 1, arbitrary: space },
);
const soup = fc.array(token, { maxLength: 12 }).map((each) => Buffer.from(each.join("")));
/** A text that is JSON, with space wherever there may be some. */
const roomy = fc.tuple(fc.jsonValue(), fc.constantFrom(undefined, 1, "\t", " \n\r\t")).map(([value, indent]) => {
  return Buffer.from(`\n ${JSON.stringify(value, null, indent)}\t`);
});
const damaged = fc.tuple(roomy, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([bytes, at, byte]) => {
  const other = Buffer.from(bytes);
  other[at % other.length] = byte;
  return other;
});

it("takes exactly what the platform takes for JSON, and says the same in fewer bytes", () => {
  let [taken, refused] = [0, 0];
  fc.assert(
    fc.property(fc.oneof(soup, roomy, damaged), fc.integer({ min: 1, max: 40 }), (bytes, step) => {
      const text = scanned(bytes, step);
      const known = parsed(bytes);
      if (known === null) {
        refused += 1;
        expect(text).toBeNull();
        return;
      }
      taken += 1;
      expect(text).not.toBeNull();
      expect(JSON.parse(text ?? "")).toEqual(known.value);
      // Nothing but the space is missing.
      expect((text ?? "").replaceAll(/"(?:[^"\\]|\\.)*"/g, "")).not.toMatch(/\s/);
    }),
    { numRuns: 20_000 },
  );
  expect(Math.min(taken, refused)).toBeGreaterThan(1_000);
});

it("leaves what is in a string as it is", () => {
  const text = '{ "a b" : " \\u0041 \\" 1.0 \u2028 " , "n" : 12345678901234567890.10 }';
  expect(scanned(Buffer.from(text), 3)).toBe('{"a b":" \\u0041 \\" 1.0 \u2028 ","n":12345678901234567890.10}');
});

it("takes characters of several bytes wherever a step ends, and however little space was taken out before", () => {
  for (const character of ["é", "\u2028", "\u{1f600}"]) {
    for (const space of ["", " ", "  ", "   "]) {
      for (let step = 1; step <= 8; step += 1) {
        expect(scanned(Buffer.from(`${space}"${character}"`), step)).toBe(`"${character}"`);
      }
    }
  }
});

it("takes a byte order mark for none, and refuses what is no UTF-8, wherever a step ends", () => {
  expect(scanned(Buffer.from('\uFEFF{"a":1}'), 1)).toBe('{"a":1}');
  for (let step = 1; step < 12; step += 1) {
    expect(scanned(Buffer.from('["€𝄞é"]'), step)).toBe('["€𝄞é"]');
    for (const wrong of [[0xff], [0xe2, 0x82], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x80, 0x80, 0x80, 0x80, 0x80]]) {
      expect(scanned(Buffer.from([0x22, ...wrong, 0x22]), step)).toBeNull();
    }
  }
});

it("refuses what nests too deep, and counts values", () => {
  expect(scanned(Buffer.from(`${"[".repeat(64)}${"]".repeat(64)}`), 5)).toHaveLength(128);
  expect(scanned(Buffer.from(`${"[".repeat(65)}${"]".repeat(65)}`), 5)).toBeNull();
  const scanner = new JsonScanner(Buffer.from('[{},[1,2],"a",{"b":null}]'), 64, SILENT);
  expect(scanner.step(1_000)).toBe(true);
  expect(scanner.values).toBe(8);
});

it("tells names and values down to a depth, by where they stand in the compact text", () => {
  const told: unknown[] = [];
  const bytes = Buffer.from(' { "a" : [ 1 , { "b" : 2 } ] , "c" : "d" } ');
  const scanner = new JsonScanner(bytes, 64, {
    maxDepth: 2,
    onName: (depth, from, end) => told.push(["name", depth, bytes.toString("utf8", from, end)]),
    onValue: (depth, at) => told.push(["value", depth, at]),
    onEnd: (depth, end) => told.push(["end", depth, end]),
  });
  while (!scanner.step(1));
  expect(bytes.toString("utf8", 0, scanner.length)).toBe('{"a":[1,{"b":2}],"c":"d"}');
  expect(told).toEqual([
    ["value", 0, 0],
    ["name", 1, '"a"'],
    ["value", 1, 5],
    ["value", 2, 6],
    ["end", 2, 7],
    ["value", 2, 8],
    ["end", 2, 15],
    ["end", 1, 16],
    ["name", 1, '"c"'],
    ["value", 1, 21],
    ["end", 1, 24],
    ["end", 0, 25],
  ]);
});
