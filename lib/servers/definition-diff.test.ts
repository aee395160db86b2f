import { describe, expect, it } from "vitest";
import { diffDefinitions, diffLines, type PinnedDefinition, toLines } from "@/lib/servers/definition-diff";

const definition = (changes: Partial<PinnedDefinition> = {}): PinnedDefinition => ({
  name: "read_note",
  title: null,
  description: "Reads a note.",
  inputSchema: { type: "object", properties: { id: { type: "string" } } },
  outputSchema: null,
  annotations: { readOnlyHint: true },
  ...changes,
});

const marks = (before: string, after: string) =>
  diffLines([...before], [...after])
    .map(({ kind, text }) => `${{ same: "=", added: "+", removed: "-" }[kind]}${text}`)
    .join("");

describe("diffLines", () => {
  it.each([
    ["", "", ""],
    ["abc", "abc", "=a=b=c"],
    ["", "ab", "+a+b"],
    ["ab", "", "-a-b"],
    ["abc", "axc", "=a-b+x=c"],
    ["abcd", "bd", "-a=b-c=d"],
    ["bd", "abcd", "+a=b+c=d"],
    ["aa", "aaa", "=a=a+a"],
  ])("%s → %s", (before, after, wanted) => expect(marks(before, after)).toBe(wanted));

  it("rebuilds both sides from any two texts", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    const text = () => Array.from({ length: random(12) }, () => "abc"[random(3)] ?? "a");
    for (let round = 0; round < 500; round += 1) {
      const [before, after] = [text(), text()];
      const lines = diffLines(before, after);
      expect(lines.filter(({ kind }) => kind !== "added").map((line) => line.text)).toEqual(before);
      expect(lines.filter(({ kind }) => kind !== "removed").map((line) => line.text)).toEqual(after);
    }
  });

  it("stays quick where everything differs", () => {
    const long = (prefix: string) => Array.from({ length: 20_000 }, (_, index) => `${prefix}${index}`);
    const startedAt = performance.now();
    expect(diffLines(long("a"), long("b"))).toHaveLength(40_000);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe("diffDefinitions", () => {
  it("names no field where nothing differs, whatever the order of keys", () => {
    const turned = { properties: { id: { type: "string" } }, type: "object" };
    expect(diffDefinitions(definition(), definition({ inputSchema: turned }))).toEqual([]);
  });

  it.each([
    ["name", "read_notes"],
    ["title", "Notes"],
    ["description", "Reads and deletes a note."],
    ["inputSchema", { type: "object" }],
    ["outputSchema", { type: "object" }],
    ["annotations", { readOnlyHint: false }],
  ] as const)("names the field %s, and only that", (field, value) => {
    const diff = diffDefinitions(definition(), definition({ [field]: value }));
    expect(diff.map((each) => each.field)).toEqual([field]);
    expect(diff[0]?.lines.some(({ kind }) => kind === "added" || kind === "removed")).toBe(true);
  });

  it("shows everything of a tool that is new", () => {
    const diff = diffDefinitions(null, definition());
    expect(diff.map((each) => each.field)).toEqual(["name", "description", "inputSchema", "annotations"]);
    expect(diff.flatMap(({ lines }) => lines).every(({ kind }) => kind === "added")).toBe(true);
  });

  it("spells hidden characters out", () => {
    expect(toLines("a\u200Bb\u{E0041}c\u202Ed")).toEqual(["a‹U+200B›b‹U+E0041›c‹U+202E›d"]);
  });
});
