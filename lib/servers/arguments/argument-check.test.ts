import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { canonicalSha256 } from "@/lib/core/canonical-json";
import { resetSingleton } from "@/lib/core/singleton";
import { checkArguments as check, uncheckedPart } from "@/lib/servers/arguments/argument-check";
import type { ToolDefinition } from "@/lib/servers/registered-server";

// Compiles hundreds of schemas, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

beforeEach(() => resetSingleton("servers.argument-checks"));

const checkArguments = (schema: object, args: unknown) => {
  const inputSchema = schema as ToolDefinition["inputSchema"];
  return check({ definition: { name: "tool", inputSchema }, sha256: canonicalSha256(inputSchema) }, args);
};

const faultsOf = (schema: object, args: unknown): Record<string, string> | string => {
  const verdict = checkArguments(schema, args);
  if (verdict.kind !== "unfit") return verdict.kind === "fit" ? "fit" : verdict.why;
  return Object.fromEntries(verdict.faults.map(({ path, rule }) => [path, rule]));
};

/** A schema, values that it allows, and values that it does not. */
type Case = { readonly schema: object; readonly good: fc.Arbitrary<unknown>; readonly bad: fc.Arbitrary<unknown> };
const leaf: fc.Arbitrary<Case> = fc.constantFrom<Case>(
  { schema: { type: "string" }, good: fc.string(), bad: fc.oneof(fc.integer(), fc.constant(null), fc.constant([])) },
  {
    schema: { type: "integer", minimum: -5, maximum: 5 },
    good: fc.integer({ min: -5, max: 5 }),
    bad: fc.integer({ min: 6 }),
  },
  { schema: { enum: ["a", 1, null] }, good: fc.constantFrom("a", 1, null), bad: fc.constantFrom("b", 2, false, {}) },
  {
    schema: { type: "string", pattern: "^[a-f]{2,4}$" },
    good: fc.stringMatching(/^[a-f]{2,4}$/),
    bad: fc.stringMatching(/^[g-z]+$/),
  },
  {
    schema: { type: "string", maxLength: 3 },
    good: fc.string({ maxLength: 3, unit: "grapheme-ascii" }),
    bad: fc.string({ minLength: 4 }),
  },
  { schema: { type: ["boolean", "null"] }, good: fc.constantFrom(true, false, null), bad: fc.constantFrom(0, "true") },
);
const name = fc.constantFrom("path", "constructor", "toString", "a/b", "~", "ü", "0", "length");
const { node } = fc.letrec<{ node: Case }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    leaf,
    tie("node").map(({ schema, good, bad }) => ({
      schema: { type: "array", items: schema, maxItems: 3 },
      good: fc.array(good, { maxLength: 3 }),
      bad: fc.tuple(fc.array(good, { maxLength: 2 }), bad).map(([some, one]) => [...some, one]),
    })),
    fc.tuple(name, tie("node"), fc.boolean()).map(([key, { schema, good, bad }, referred]) => ({
      schema: referred
        ? { type: "object", properties: { [key]: { $ref: "#/$defs/x" } }, required: [key], additionalProperties: false }
        : { type: "object", properties: { [key]: schema }, required: [key], additionalProperties: false },
      // A definition belongs to the whole; here only those that stay in place are made.
      ...(referred
        ? { good: fc.constant({ [key]: "x" }), bad: fc.constantFrom({ [key]: 1 }, {}, { [key]: "x", other: 1 }) }
        : {
            good: good.map((value) => ({ [key]: value })),
            bad: fc.oneof(
              bad.map((value) => ({ [key]: value })),
              fc.constant({}),
              good.map((value) => ({ [key]: value, other: 1 })),
            ),
          }),
    })),
  ),
}));

describe("arguments", () => {
  it("pass when the schema allows them, and fail when it does not", () => {
    const run = node.chain(({ schema, good, bad }) => fc.tuple(fc.constant(schema), good, bad));
    fc.assert(
      fc.property(run, ([schema, good, bad]) => {
        // Compiling all of these at once is more than its share of the time.
        resetSingleton("servers.argument-checks");
        const whole = { ...schema, $defs: { x: { type: "string" } } };
        expect(checkArguments(whole, good)).toEqual({ kind: "fit" });
        const verdict = checkArguments(whole, bad);
        expect(verdict.kind).toBe("unfit");
        expect(verdict.kind === "unfit" && verdict.faults.length).toBeGreaterThan(0);
      }),
      { numRuns: 150 },
    );
  });

  const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });

  it("are told where they fail and by which rule, in words of the schema only", () => {
    const schema = object(
      {
        path: { type: "string", minLength: 2 },
        count: { type: "integer", minimum: 1, maximum: 9 },
        mode: { enum: ["fast", "slow"] },
        when: { anyOf: [{ type: "string" }, { type: "null" }] },
        list: { type: "array", items: object({ id: { type: "string", pattern: "^[a-z]+$" } }), uniqueItems: true },
      },
      { required: ["path"], additionalProperties: false },
    );
    expect(faultsOf(schema, { path: "ab", count: 3, mode: "fast", when: null, list: [{ id: "x" }] })).toBe("fit");
    expect(faultsOf(schema, { count: 10, mode: "secret", when: 3 })).toEqual({
      "/path": "is required",
      "/count": "must be at most 9",
      "/mode": 'must be one of "fast", "slow"',
      "/when": "must be of type string or null",
    });
    expect(faultsOf(schema, { path: "x", list: [{ id: "a" }, { id: "SECRET" }, { id: "a" }] })).toEqual({
      "/path": "must have at least 2 characters",
      "/list/1/id": "must match the pattern ^[a-z]+$",
      "/list": "must not have an item twice",
    });
    expect(faultsOf(schema, { path: "ab", "Jane Doe": 1 })).toEqual({
      "": 'has a property other than "path", "count", "mode", "when", "list"',
    });
    const byName = object({ people: { additionalProperties: { type: "number" } } });
    expect(faultsOf(byName, { people: { "4111111111111111": "x" } })).toEqual({
      "/people/*": "must be of type number",
    });
    const many = object(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`p${at}`, { type: "null" }])));
    expect(
      Object.keys(faultsOf(many, Object.fromEntries(Object.keys(many.properties).map((key) => [key, 1])))),
    ).toHaveLength(5);
  });

  it("are not changed by being looked at", () => {
    const args = { n: "1" };
    checkArguments(object({ n: { type: "string" }, more: { default: 5 } }), args);
    expect(args).toEqual({ n: "1" });
  });

  it("are read by the dialect that the schema names, and by the protocol's own where it names none", () => {
    const tuple = { items: [{ type: "string" }], additionalItems: false };
    const draft7 = { $schema: "http://json-schema.org/draft-07/schema#", ...object({ pair: tuple }) };
    expect(faultsOf(draft7, { pair: ["a", 1] })).toEqual({ "/pair": "must have at most 1 items" });
    // In draft-07 what stands beside a reference is not read.
    const beside = {
      ...draft7,
      properties: { a: { $ref: "#/definitions/a", maxLength: 1 } },
      definitions: { a: { type: "string" } },
    };
    expect(faultsOf(beside, { a: "long" })).toBe("fit");
    const newer = object({ a: { $ref: "#/$defs/a", maxLength: 1 } }, { $defs: { a: { type: "string" } } });
    expect(faultsOf(newer, { a: "long" })).toEqual({ "/a": "must have at most 1 characters" });
    const tree = {
      type: "object",
      properties: { kids: { type: "array", items: { $ref: "#" } }, id: { type: "number" } },
    };
    expect(faultsOf(tree, { kids: [{ id: 1, kids: [{ id: "x" }] }] })).toEqual({
      "/kids/0/kids/0/id": "must be of type number",
    });
    expect(faultsOf({ $schema: "https://example.test/mine", type: "object" }, {})).toContain(
      "a dialect that is not known",
    );
  });

  it("are matched against numbers as people write them", () => {
    const schema = object({ price: { multipleOf: 0.1 } });
    expect([faultsOf(schema, { price: 0.3 }), faultsOf(schema, { price: 0.35 })]).toEqual([
      "fit",
      { "/price": "must be a multiple of 0.1" },
    ]);
  });
});

describe("a schema of a server that means harm", () => {
  const fan = (levels: number) => ({
    type: "object",
    $ref: "#/$defs/l0",
    $defs: {
      [`l${levels}`]: { required: ["never"] },
      ...Object.fromEntries(
        Array.from({ length: levels }, (_, at) => [
          `l${at}`,
          { anyOf: [{ $ref: `#/$defs/l${at + 1}` }, { $ref: `#/$defs/l${at + 1}` }] },
        ]),
      ),
    },
  });
  const deep = (levels: number): object => (levels === 0 ? {} : { properties: { a: deep(levels - 1) } });
  const nested = (levels: number): unknown => (levels === 0 ? 1 : { x: nested(levels - 1) });
  const twice = { properties: { x: { $ref: "#" } } };
  const long = Array.from({ length: 30_000 }, (_, at) => ({ at }));

  it.each<[string, object, unknown, string]>([
    ["asks the same thing a billion times", fan(60), {}, "too long"],
    ["asks it again at every level", { anyOf: [twice, twice], required: ["never"] }, nested(60), "too long"],
    ["refers to itself without end", { type: "object", allOf: [{ $ref: "#" }] }, {}, "too long"],
    [
      "asks a long list many things",
      {
        properties: {
          a: { allOf: Array.from({ length: 99 }, () => ({ items: { minProperties: 0, maxProperties: 9 } })) },
        },
      },
      { a: long },
      "too long",
    ],
    ["nests deep", deep(40), {}, "deeper than 32 levels"],
    ["is large", { description: "x".repeat(200_000) }, {}, "larger than 128 KiB"],
    [
      "has many parts",
      { properties: Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`p${at}`, {}])) },
      {},
      "more than 500 parts",
    ],
    ["refers to another address", { $ref: "https://evil.test/schema.json" }, {}, "cannot be understood"],
    ["refers to what is not there", { properties: { a: { $ref: "#/$defs/gone" } } }, {}, "cannot be understood"],
    [
      "turns a slow pattern around",
      { properties: { a: { not: { pattern: "^(?=(a+)+$)" } } } },
      { a: "x" },
      "bounded time",
    ],
    ["names properties by a slow pattern", { patternProperties: { "(a+)\\1+$": {} } }, {}, "bounded time"],
    ["holds no schema where one belongs", { properties: { a: 5 } }, {}, "something else where a schema belongs"],
  ])("that %s is not used, and the call is told apart", (_, schema, args, why) => {
    const verdict = checkArguments(schema, args);
    expect(verdict).toMatchObject({ kind: "unchecked", why: expect.stringContaining(why) });
  });

  it("is still used where only a pattern cannot be", () => {
    const schema = { properties: { mail: { type: "string", pattern: "^(?!.*\\.\\.)(a+)+$" } } };
    expect(uncheckedPart(schema)).toContain("bounded time");
    expect([faultsOf(schema, { mail: "x" }), faultsOf(schema, { mail: 1 })]).toEqual([
      "fit",
      { "/mail": "must be of type string" },
    ]);
    expect(uncheckedPart({ type: "object" })).toBeNull();
  });

  it("takes steps in proportion to what it is shown, and never waits for a promise", () => {
    const slow = { properties: { a: { type: "string", pattern: "^(a+)+$" } } };
    expect(faultsOf(slow, { a: `${"a".repeat(20_000)}!` })).toEqual({ "/a": "must match the pattern ^(a+)+$" });
    expect(faultsOf({ $async: true, properties: { a: { type: "string" } } }, { a: 1 })).toEqual({
      "/a": "must be of type string",
    });
    const unique = { properties: { a: { uniqueItems: true } } };
    expect(faultsOf(unique, { a: long })).toBe("fit");
    // Ten thousand names are wanted of each of a thousand things: the first fault has to do.
    const wanted = { properties: { a: { items: { required: Array.from({ length: 10_000 }, (_, at) => `n${at}`) } } } };
    expect(faultsOf(wanted, { a: long.slice(0, 1_000) })).toEqual({ "/a/0/n0": "is required" });
  });
});
