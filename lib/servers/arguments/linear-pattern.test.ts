import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { linearPattern } from "@/lib/servers/arguments/linear-pattern";

// Thousands of patterns, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const free = () => undefined;
const test = (source: string, text: string): boolean | undefined => linearPattern(source)?.test(text, free);

/** Patterns as they are written in schemas, and the deeper nestings nobody writes. */
const atom = fc.constantFrom("a", "b", "c", ".", "\\d", "\\w", "[ab]", "[^a]", "\\.", "-", "[a-c]", "é", "😀");
const quantifier = fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "{2,3}?");
const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(atom, quantifier).map((both) => both.join("")),
    fc.tuple(tie("pattern"), quantifier).map(([inner, times]) => `(?:${inner})${times}`),
    fc.tuple(tie("pattern"), tie("pattern")).map(([one, other]) => `(${one}|${other})`),
  ),
  pattern: fc
    .tuple(fc.constantFrom("", "", "^"), fc.array(tie("part"), { maxLength: 3 }), fc.constantFrom("", "", "$"))
    .map(([start, parts, end]) => `${start}${parts.join("")}${end}`),
}));
const text = fc
  .array(fc.constantFrom("a", "b", "c", "1", "-", ".", "é", "😀", "\n"), { maxLength: 12 })
  .map((all) => all.join(""));

describe("a pattern in linear time", () => {
  it("says what the engine of the language says", () => {
    fc.assert(
      fc.property(pattern, text, (source, given) => {
        const linear = linearPattern(source);
        // Nestings of counts may be too many steps.
        fc.pre(linear !== null);
        expect(linear?.test(given, free)).toBe(new RegExp(source, "u").test(given));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}$", "0123abcd-0123-abcd", "0123abcd-0123-abc"],
    ["^\\d{4}-(0[1-9]|1[0-2])-\\d{2}$", "2026-11-20", "2026-13-20"],
    ["^[\\w\\-]+$", "a-b_c", "a b"],
    ["^\\p{Lu}\\p{Ll}*$", "Änne", "änne"],
    ["^(?<year>\\d{4})$", "2026", "20266"],
    ["\\u0041\\x42", "xABx", "AXB"],
    ["\\/", "a/b", "ab"],
  ])("reads %s", (source, fits, fails) => {
    expect([test(source, fits), test(source, fails)]).toEqual([true, false]);
  });

  it.each([
    ["a back reference", "(a)\\1"],
    ["a named back reference", "(?<x>a)\\k<x>"],
    ["looking ahead", "^(?=a)"],
    ["looking behind", "(?<!a)b"],
    ["a border of words", "\\bfoo"],
    ["what is no pattern", "(["],
    ["what means something else without the flag that it lacks", "\\p{L}\\-"],
    ["too many repetitions of repetitions", "^(?:a{0,99}){0,99}$"],
    ["nothing, very often", "(?:(?:(?:(?:){1000}){1000}){1000}){1000}"],
    ["a very long one", "a".repeat(1_001)],
  ])("leaves %s alone", (_, source) => {
    expect(linearPattern(source)).toBeNull();
  });

  it.each(["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*)*x", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$"])(
    "takes steps in proportion to the text for %s",
    (source) => {
      const steps = (length: number): number => {
        let spent = 0;
        linearPattern(source)?.test(`${"a".repeat(length)}!`, (more) => {
          spent += more;
        });
        return spent;
      };
      const [once, twice] = [steps(10_000), steps(20_000)];
      expect(once).toBeGreaterThan(10_000);
      expect(twice).toBeLessThan(once * 2.2);
    },
  );
});
