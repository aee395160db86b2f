import { type Schema, Validator } from "@cfworker/json-schema";

/** Dotted path of a field (`filter.name`) to what is wrong with it; "" is the whole. */
export type ArgumentProblems = Readonly<Record<string, string>>;

const PREFIX = /^Instance (does not|is not|is|has)/;

/** The gateway says the same of a call that it refuses: where the library's words hold what is needed, ours are made of them. */
const WORDS: ReadonlyMap<string, readonly [RegExp, string]> = new Map([
  ["type", [/Expected "(.+)"\.$/, "must be of type $1"]],
  ["enum", [/any of \[(.+)\]\.$/, "must be one of $1"]],
  ["minimum", [/is less than (\S+)\.$/, "must be at least $1"]],
  ["maximum", [/is greater than (\S+)\.$/, "must be at most $1"]],
  ["minLength", [/< (\d+)\)\.$/, "must have at least $1 characters"]],
  ["maxLength", [/> (\d+)\)\.$/, "must have at most $1 characters"]],
]);

function inWords(keyword: string, message: string): string {
  const [form, words] = WORDS.get(keyword) ?? [];
  const found = form?.exec(message)?.[1];
  if (found === undefined || words === undefined) return message.replace(PREFIX, (_, verb: string) => verb);
  return words.replace("$1", () => found.replaceAll('", "', " or ").replaceAll('","', '", "'));
}

/** Checks arguments against a tool's schema in the browser, without eval. An unreadable schema checks nothing. */
export function checkArguments(inputSchema: unknown, value: unknown): ArgumentProblems {
  if (typeof inputSchema !== "object" || inputSchema === null) return {};
  try {
    const { valid, errors } = new Validator(inputSchema as Schema, "2020-12", false).validate(value);
    if (valid) return {};
    const problems: Record<string, string> = {};
    for (const error of errors) {
      // A parent only repeats that a child failed: the deepest message is the useful one.
      if (error.keyword === "properties" || error.keyword === "items" || error.keyword === "$ref") continue;
      const { path, rule } = toProblem(error.instanceLocation, error.keyword, error.error);
      problems[path] ??= rule;
    }
    return problems;
  } catch {
    return {};
  }
}

function toProblem(location: string, keyword: string, message: string): { path: string; rule: string } {
  const path = location.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent).join(".");
  const missing = keyword === "required" ? /"([^"]+)"/.exec(message)?.[1] : undefined;
  if (missing) return { path: path ? `${path}.${missing}` : missing, rule: "is required" };
  return { path, rule: inWords(keyword, message) };
}
