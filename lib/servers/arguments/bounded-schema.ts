import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";
import { linearPattern } from "@/lib/servers/arguments/linear-pattern";
import {
  areTexts,
  BY_NAME,
  type Dialect,
  dialectNamed,
  LIST,
  ONE,
  PLAIN,
} from "@/lib/servers/arguments/schema-keywords";

/** A server's schema as it may be used: known keywords only, sound values, and what each part costs. */
export type BoundedSchema = {
  readonly schema: Json | boolean;
  readonly dialect: Dialect;
  /** How many schemas it consists of. */
  readonly parts: number;
  /** Names of properties that the schema itself knows. */
  readonly names: ReadonlySet<string>;
  /** What is not checked though the schema says it; null when all is. */
  readonly skipped: string | null;
};

/** What a part costs to check, put into it so that the check can keep count. */
export const COST = "x-countersign-cost";

const MAX_CHARS = 128 * 1024;
const MAX_DEPTH = 32;
const MAX_PARTS = 500;

/** Where less is asked within, more may be refused: nothing can be left out of a schema that has one of them. */
const TURNING: ReadonlySet<string> = new Set(["not", "if", "oneOf", "contains"]);

/** Why a schema cannot be used, in words that follow "its input schema". */
export class Unusable extends Error {}

/** The schema as it may be used. Throws `Unusable` for one that costs too much or cannot be understood. */
export function boundSchema(given: unknown): BoundedSchema {
  if (sizeOf(given) > MAX_CHARS) throw new Unusable(`is larger than ${MAX_CHARS / 1024} KiB`);
  const dialect = dialectOf(given);
  const copy = makeCopy(dialect);
  const schema = copy.part(given, 1);
  const { skipped, turns, names } = copy;
  const [first] = skipped;
  if (turns.size > 0 && first !== undefined) throw new Unusable(`${first}, beside ${[...turns].join(" and ")}`);
  return { schema, dialect, parts: copy.parts(), names, skipped: first ?? null };
}

function sizeOf(given: unknown): number {
  try {
    return JSON.stringify(given).length;
  } catch {
    throw new Unusable("nests too deep");
  }
}

function dialectOf(given: unknown): Dialect {
  const named = isRecord(given) ? given["$schema"] : undefined;
  const found = dialectNamed(named);
  if (found === null) throw new Unusable(`is in a dialect that is not known here (${String(named).slice(0, 80)})`);
  return found;
}

function makeCopy(dialect: Dialect) {
  const names = new Set<string>();
  const turns = new Set<string>();
  const skipped: string[] = [];
  let parts = 0;

  function part(given: unknown, depth: number): Json | boolean {
    if (typeof given === "boolean") return given;
    if (!isRecord(given)) throw new Unusable("holds something else where a schema belongs");
    parts += 1;
    if (depth > MAX_DEPTH) throw new Unusable(`nests deeper than ${MAX_DEPTH} levels`);
    if (parts > MAX_PARTS) throw new Unusable(`has more than ${MAX_PARTS} parts`);
    const copied = Object.entries(given).flatMap(([keyword, value]) => {
      // In this dialect nothing beside a reference counts but what it may refer to.
      if (dialect === "draft-07" && Object.hasOwn(given, "$ref") && !/^(\$ref|\$defs|definitions)$/.test(keyword))
        return [];
      const taken = PLAIN.has(keyword) ? plain(keyword, value) : nested(keyword, value, depth);
      return taken === undefined ? [] : [[keyword, taken] as const];
    });
    const cost = costOf(copied);
    return Object.fromEntries(cost === 0 ? copied : [[COST, cost], ...copied]);
  }

  function plain(keyword: string, value: unknown): unknown {
    if (PLAIN.get(keyword)?.(value) !== true) return skip(`holds a value of ${keyword} that it may not have`);
    if (keyword === "pattern" && linearPattern(String(value)) === null) return skip(noted(String(value)));
    if (keyword === "required") for (const name of value as string[]) names.add(name);
    return value;
  }

  function skip(why: string): undefined {
    skipped.push(why);
  }

  function nested(keyword: string, value: unknown, depth: number): unknown {
    if (TURNING.has(keyword)) turns.add(keyword);
    if (ONE.has(keyword)) return part(value, depth + 1);
    if (LIST.has(keyword)) return list(keyword, value, depth);
    if (BY_NAME.has(keyword)) return byName(keyword, value, depth);
    if (keyword === "items") return items(value, depth);
    return keyword === "dependencies" ? dependencies(value, depth) : undefined;
  }

  function items(value: unknown, depth: number): unknown {
    if (!Array.isArray(value)) return part(value, depth + 1);
    return dialect === "2020-12" ? skip("lists items in an older manner") : list("items", value, depth);
  }

  function dependencies(value: unknown, depth: number): unknown {
    if (!isRecord(value)) return skip("holds dependencies without names");
    const entries = Object.entries(value).map(([name, each]) => [name, areTexts(each) ? each : part(each, depth + 1)]);
    return Object.fromEntries(entries);
  }

  function list(keyword: string, value: unknown, depth: number): unknown {
    if (!Array.isArray(value) || value.length === 0) throw new Unusable(`holds ${keyword} without schemas`);
    return value.map((each) => part(each, depth + 1));
  }

  function byName(keyword: string, value: unknown, depth: number): unknown {
    if (!isRecord(value)) throw new Unusable(`holds ${keyword} without schemas`);
    const entries = Object.entries(value).map(([name, each]) => {
      if (name === "__proto__") throw new Unusable("names __proto__");
      if (keyword === "properties") names.add(name);
      if (keyword === "patternProperties" && linearPattern(name) === null) throw new Unusable(noted(name));
      return [name, part(each, depth + 1)] as const;
    });
    return Object.fromEntries(entries);
  }

  return { part, parts: () => parts, names, turns, skipped };
}

const noted = (pattern: string): string =>
  `holds a pattern that cannot be matched in bounded time (${pattern.slice(0, 80)})`;

const CHARS_PER_STEP = 32;
/** Checked without a look into the value. */
const CHEAP: ReadonlySet<string> = new Set(["type", "minimum", "maximum", "$id", "$anchor", "$defs", "definitions"]);

/** Steps for checking the part itself, in proportion to what it holds beside other parts. Zero for what is a look at the type. */
function costOf(copied: readonly (readonly [string, unknown])[]): number {
  let cost = 0;
  for (const [keyword, value] of copied) {
    if (CHEAP.has(keyword)) continue;
    cost += 1;
    if (PLAIN.has(keyword)) cost += Math.floor(JSON.stringify(value).length / CHARS_PER_STEP);
    else if (typeof value === "object" && value !== null) cost += Object.keys(value).length;
  }
  return cost;
}
