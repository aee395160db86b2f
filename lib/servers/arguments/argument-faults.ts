import type { ErrorObject } from "ajv";
import type { FieldIssue } from "@/lib/core/errors";
import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";

const MAX_FAULTS = 5;
const MAX_WORDS = 200;

/**
 * What is wrong, as JSON pointer and rule, each place once. Only words of the schema are used: neither a value nor a name
 * that the caller chose is repeated, because refusals stand in the trail for everybody to read.
 */
export function toFaults(
  errors: readonly ErrorObject[],
  value: unknown,
  names: ReadonlySet<string>,
): readonly FieldIssue[] {
  const byPath = new Map<string, string[]>();
  for (const error of errors) {
    const rule = ruleOf(error);
    if (rule === null) continue;
    const path = pointer(error, value, names);
    const rules = byPath.get(path) ?? [];
    byPath.set(path, rules);
    if (!rules.includes(rule)) rules.push(rule);
  }
  return [...byPath].slice(0, MAX_FAULTS).map(([path, rules]) => ({ path, rule: joined(rules) }));
}

const ALTERNATIVE = "must fit one of the alternatives";
const TYPE = "must be of type ";

/** Alternatives that differ in their type are told in one breath; that there are alternatives need not be said then. */
function joined(rules: readonly string[]): string {
  const types = rules.filter((rule) => rule.startsWith(TYPE));
  const rest = rules.filter((rule) => !rule.startsWith(TYPE) && (rule !== ALTERNATIVE || rules.length === 1));
  const oneOfTypes = types.length === 0 ? [] : [`${TYPE}${types.map((rule) => rule.slice(TYPE.length)).join(" or ")}`];
  return clipped([...oneOfTypes, ...rest].slice(0, 3).join("; "));
}

const clipped = (text: string): string => (text.length <= MAX_WORDS ? text : `${text.slice(0, MAX_WORDS - 1)}…`);

/** Names that the schema does not know stand as `*`. */
function pointer({ instancePath, keyword, params }: ErrorObject, value: unknown, names: ReadonlySet<string>): string {
  const missing = keyword === "required" && typeof params["missingProperty"] === "string";
  const segments = instancePath.split("/").slice(1).map(unescaped);
  let here = value;
  const shown = segments.map((segment) => {
    const known = Array.isArray(here) || names.has(segment);
    here = isRecord(here) || Array.isArray(here) ? (here as Json)[segment] : undefined;
    return known ? segment : "*";
  });
  if (missing) shown.push(params["missingProperty"]);
  return shown
    .map((segment) => `/${escaped(segment)}`)
    .join("")
    .slice(0, MAX_WORDS);
}

const unescaped = (segment: string): string => segment.replaceAll("~1", "/").replaceAll("~0", "~");
const escaped = (segment: string): string => segment.replaceAll("~", "~0").replaceAll("/", "~1");

const said = (value: unknown): string => clipped(JSON.stringify(value) ?? "nothing");
const listed = (values: readonly unknown[]): string =>
  `${values.slice(0, 10).map(said).join(", ")}${values.length > 10 ? ", …" : ""}`;

type Say = (error: ErrorObject) => string;
const limited =
  (before: string, after = ""): Say =>
  ({ params }) =>
    `${before} ${params["limit"]}${after}`;
const always =
  (rule: string): Say =>
  () =>
    rule;

const RULES: ReadonlyMap<string, Say> = new Map<string, Say>([
  ["required", always("is required")],
  ["type", ({ params }) => `${TYPE}${[params["type"]].flat().join(" or ")}`],
  ["enum", ({ params }) => `must be one of ${listed(params["allowedValues"])}`],
  ["const", ({ params }) => `must be ${said(params["allowedValue"])}`],
  ["minimum", limited("must be at least")],
  ["maximum", limited("must be at most")],
  ["exclusiveMinimum", limited("must be more than")],
  ["exclusiveMaximum", limited("must be less than")],
  ["multipleOf", ({ params }) => `must be a multiple of ${params["multipleOf"]}`],
  ["minLength", limited("must have at least", " characters")],
  ["maxLength", limited("must have at most", " characters")],
  ["minItems", limited("must have at least", " items")],
  ["maxItems", limited("must have at most", " items")],
  ["items", limited("must have at most", " items")],
  ["additionalItems", limited("must have at most", " items")],
  ["unevaluatedItems", limited("must have at most", " items")],
  ["uniqueItems", always("must not have an item twice")],
  ["contains", always("lacks an item of the kind that it must contain, or has too many")],
  ["minProperties", limited("must have at least", " properties")],
  ["maxProperties", limited("must have at most", " properties")],
  ["pattern", ({ params }) => `must match the pattern ${params["pattern"]}`],
  ["propertyNames", always("has a property whose name is not allowed")],
  ["dependentRequired", ({ params }) => `must have ${params["missingProperty"]} too when it has ${params["property"]}`],
  ["dependencies", ({ params }) => `must have ${params["missingProperty"]} too when it has ${params["property"]}`],
  ["additionalProperties", unknownProperty],
  ["unevaluatedProperties", unknownProperty],
  ["anyOf", always(ALTERNATIVE)],
  [
    "oneOf",
    ({ params }) => (params["passingSchemas"] === null ? ALTERNATIVE : "must fit only one of the alternatives"),
  ],
  ["not", always("must not be of the form that the schema excludes")],
  ["false schema", always("is not allowed")],
]);

/** Null for what only repeats that a part of it failed. */
const ruleOf = (error: ErrorObject): string | null =>
  error.keyword === "if" ? null : clipped(RULES.get(error.keyword)?.(error) ?? `breaks the rule ${error.keyword}`);

function unknownProperty({ parentSchema }: ErrorObject): string {
  const known = isRecord(parentSchema?.["properties"]) ? Object.keys(parentSchema["properties"]) : [];
  return known.length === 0 ? "has a property that is not allowed" : `has a property other than ${listed(known)}`;
}
