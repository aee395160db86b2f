import { _, Ajv, type CodeKeywordDefinition, type ErrorObject, type Options } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import { canonicalJson } from "@/lib/core/canonical-json";
import { type BoundedSchema, COST, Unusable } from "@/lib/servers/arguments/bounded-schema";
import { linearPattern } from "@/lib/servers/arguments/linear-pattern";
import type { Dialect } from "@/lib/servers/arguments/schema-keywords";

/** Thrown from within a check that has taken as many steps as it may. */
export class TooCostly extends Error {}

/** Looks into a value, at most so many steps; null where it fits. Throws `TooCostly`. */
export type Look = (value: unknown, maxSteps: number) => readonly ErrorObject[] | null;

const ENGINES = { "2020-12": Ajv2020, "2019-09": Ajv2019, "draft-07": Ajv } as const satisfies Record<Dialect, unknown>;

const OPTIONS: Options = {
  strict: false,
  logger: false,
  // The schema was looked through before, and none but itself is known to it: nothing is fetched.
  ...{ validateSchema: false, meta: false },
  // Formats are remarks in the protocol's own dialect.
  validateFormats: false,
  // A part that is referred to is compiled once, not once for each reference.
  inlineRefs: false,
  // `constructor` is a name like any other.
  ownProperties: true,
  multipleOfPrecision: 9,
};

const CHARS_PER_STEP = 64;
/** What a pattern does is little beside the rest. */
const PATTERN_STEPS_PER_STEP = 8;

/**
 * Makes a check of a schema. Everything that a server could make expensive counts its steps: parts that refer to each
 * other, long values, patterns. An engine of its own for each schema, because engines never forget.
 */
export function compileSchema({ schema, dialect }: BoundedSchema, all: boolean): Look {
  const meter = { left: 0 };
  const spend = (steps: number): void => {
    meter.left -= steps;
    if (meter.left < 0) throw new TooCostly();
  };
  const engine = new ENGINES[dialect]({
    ...OPTIONS,
    ...(all ? { allErrors: true, verbose: true } : { messages: false }),
    code: { regExp: patternEngine(spend), optimize: false },
  });
  engine.removeKeyword("uniqueItems");
  engine.addKeyword({ keyword: "uniqueItems", type: "array", schemaType: "boolean", validate: areUnique(spend) });
  engine.addKeyword(costKeyword(spend));
  const validate = compiled(() => engine.compile(schema));
  return (value, maxSteps) => {
    meter.left = maxSteps;
    try {
      return validate(value) ? null : (validate.errors ?? []);
    } catch (cause) {
      // A part that refers to itself without end runs out of one or the other first.
      throw cause instanceof RangeError ? new TooCostly() : cause;
    }
  };
}

function compiled<T>(compile: () => T): T {
  try {
    return compile();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "it has no meaning";
    throw new Unusable(`cannot be understood (${why.slice(0, 120)})`);
  }
}

/** Stands in each part that does more than look at a type, and counts before the part is checked. */
const costKeyword = (spend: (steps: number) => void): CodeKeywordDefinition => {
  const count = (value: unknown, cost: number): void => spend(cost + breadthOf(value));
  return {
    keyword: COST,
    schemaType: "number",
    before: "$ref",
    code({ gen, data, schema }) {
      gen.code(_`${gen.scopeValue("func", { ref: count })}(${data}, ${Number(schema)})`);
    },
  };
};

function breadthOf(value: unknown): number {
  if (typeof value === "string") return Math.floor(value.length / CHARS_PER_STEP);
  if (typeof value !== "object" || value === null) return 0;
  return Array.isArray(value) ? value.length : Object.keys(value).length;
}

const patternEngine = (spend: (steps: number) => void) => {
  const spendOnPattern = (steps: number): void => spend(steps / PATTERN_STEPS_PER_STEP);
  const make = (source: string) => {
    const pattern = linearPattern(source);
    if (pattern === null) throw new Unusable("holds a pattern that cannot be matched in bounded time");
    return { test: (text: string) => pattern.test(text, spendOnPattern), toString: () => source };
  };
  return Object.assign(make, { code: "pattern" });
};

/** By one look at each: comparing each with each is what a long list is sent for. */
const areUnique =
  (spend: (steps: number) => void) =>
  (wanted: boolean, items: readonly unknown[]): boolean => {
    if (!wanted) return true;
    const seen = new Set<string>();
    for (const item of items) {
      const text = canonicalJson(item);
      spend(1 + Math.floor(text.length / CHARS_PER_STEP));
      if (seen.has(text)) return false;
      seen.add(text);
    }
    return true;
  };
