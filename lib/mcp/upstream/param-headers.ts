import { isRecord, type Json } from "@/lib/mcp/upstream/protocol";

/** An argument that a tool's schema marks with `x-mcp-header`: its value travels in a header too. */
type Declared = { readonly header: string; readonly path: readonly string[]; readonly isInteger: boolean };
/** Of a schema that breaks a rule nothing counts as marked. */
type Scanned = { readonly declared: readonly Declared[]; readonly fault: string | null };

const ANNOTATION = "x-mcp-header";
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PLAIN = /^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$/;
const DECIMAL = /^-?\d{1,20}(\.\d{1,20})?$/;
const PRIMITIVES: ReadonlySet<unknown> = new Set(["string", "integer", "boolean"]);
const MAX_DEPTH = 64;
const known = new WeakMap<Json, Scanned>();

/** Keywords that hold schemas which do not stand for one fixed place among the arguments. */
const ONE_OR_MORE = [
  ...["items", "prefixItems", "contains", "additionalProperties", "propertyNames", "unevaluatedItems"],
  ...["unevaluatedProperties", "oneOf", "anyOf", "allOf", "not", "if", "then", "else"],
] as const;
const BY_NAME = ["patternProperties", "dependentSchemas", "$defs", "definitions"] as const;

/** A header value as revision 2026-07-28 wants it: plain ASCII as it is, anything else in the Base64 sentinel. */
export function headerValue(text: string): string {
  const plain = PLAIN.test(text) && !(text.startsWith("=?base64?") && text.endsWith("?="));
  return plain ? text : `=?base64?${Buffer.from(text, "utf8").toString("base64")}?=`;
}

/** The text behind a header value; null when it claims to be Base64 and is not, or not of UTF-8. */
export function headerText(value: string): string | null {
  if (!(value.startsWith("=?base64?") && value.endsWith("?="))) return value;
  const encoded = value.slice(9, -2);
  const bytes = Buffer.from(encoded, "base64");
  // Buffer reads past what is no Base64: only the one right spelling counts.
  if (bytes.toString("base64") !== encoded) return null;
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : null;
}

function* within(schema: Json): Generator<unknown> {
  for (const keyword of ONE_OR_MORE) {
    const held = schema[keyword];
    if (Array.isArray(held)) yield* held;
    else yield held;
  }
  for (const keyword of BY_NAME) if (isRecord(schema[keyword])) yield* Object.values(schema[keyword]);
}

type Place = { readonly schema: Json; readonly path: readonly string[] | null };

/** Every schema within a schema, with the path of the one argument that it stands for; null where there is no such one. */
function* places(schema: unknown, path: readonly string[] | null, depth = 0): Generator<Place> {
  if (!isRecord(schema) || depth > MAX_DEPTH) return;
  yield { schema, path };
  const { properties } = schema;
  for (const [name, child] of isRecord(properties) ? Object.entries(properties) : []) {
    yield* places(child, path === null ? null : [...path, name], depth + 1);
  }
  for (const child of within(schema)) yield* places(child, null, depth + 1);
}

/** Adds what a place declares; returns the rule that it breaks. */
function declare({ schema, path }: Place, found: Declared[]): string | null {
  const { [ANNOTATION]: name, type } = schema;
  if (path === null || path.length === 0) return "it stands where no fixed argument is";
  const where = path.join(".");
  if (typeof name !== "string" || !TOKEN.test(name)) return `it is no name of a header, at ${where}`;
  if (!PRIMITIVES.has(type)) return `it marks what is no string, integer or boolean, at ${where}`;
  const header = `mcp-param-${name.toLowerCase()}`;
  if (found.some((each) => each.header === header)) return `it names the same header twice, at ${where}`;
  found.push({ header, path, isInteger: type === "integer" });
  return null;
}

function scan(schema: Json): Scanned {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const found: Declared[] = [];
  let fault: string | null = null;
  for (const place of places(schema, [])) {
    if (Object.hasOwn(place.schema, ANNOTATION)) fault ??= declare(place, found);
  }
  const made = { declared: fault === null ? found : [], fault };
  known.set(schema, made);
  return made;
}

/** Why a tool with this schema may not be offered: what is wrong with an `x-mcp-header` in it; null for a good one. */
export const annotationFault = (inputSchema: Json): string | null => scan(inputSchema).fault;

function textOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? null : String(value);
}

function valueAt(args: unknown, path: readonly string[]): unknown {
  let value = args;
  for (const key of path) value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

/** `Mcp-Param-*` headers for the arguments that the tool's schema marks with `x-mcp-header`. */
export function paramHeaders(inputSchema: Json | undefined, args: unknown): Record<string, string> {
  const headers: Record<string, string> = {};
  if (inputSchema === undefined) return headers;
  for (const { header, path } of scan(inputSchema).declared) {
    const text = textOf(valueAt(args, path));
    if (text !== null) headers[header] = headerValue(text);
  }
  return headers;
}

/** True where a schema marks any argument. */
export const hasParamHeaders = (inputSchema: Json): boolean => scan(inputSchema).declared.length > 0;

/**
 * The first marked argument whose header is missing, unreadable or says something else than the body, in words that
 * hold neither value; null where all agree. A header for an argument that is not given is ignored.
 */
export function paramMismatch(
  inputSchema: Json,
  args: unknown,
  headerOf: (name: string) => string | null,
): { readonly header: string; readonly body: string } | null {
  for (const { header, path, isInteger } of scan(inputSchema).declared) {
    const value = valueAt(args, path);
    const text = textOf(value);
    if (text === null) continue;
    const where = `params.arguments.${path.join(".")}`;
    const stated = headerOf(header);
    if (stated === null) return { header, body: `${where} is given and the header ${header} is not` };
    const told = headerText(stated);
    if (told === null) return { header, body: `the header ${header} is no valid Base64` };
    const same = told === text || (isInteger && DECIMAL.test(told) && Number(told) === value);
    if (!same) return { header, body: `the header ${header} says something else than ${where}` };
  }
  return null;
}
