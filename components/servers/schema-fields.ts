/** A JSON Schema, read as far as a form can show it. What it cannot show becomes a raw JSON field. */
type FieldBase = {
  readonly key: string;
  readonly label: string;
  readonly description: string;
  readonly required: boolean;
  readonly initial: unknown;
};
export type SchemaField = FieldBase &
  (
    | { readonly kind: "string"; readonly multiline: boolean; readonly format: string | null }
    | { readonly kind: "number"; readonly integer: boolean; readonly min: number | null; readonly max: number | null }
    | { readonly kind: "boolean" }
    | { readonly kind: "enum"; readonly options: readonly unknown[] }
    | { readonly kind: "array"; readonly item: SchemaField }
    | { readonly kind: "object"; readonly fields: readonly SchemaField[] }
    | { readonly kind: "json" }
  );
type Schema = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 4;

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const numberOrNull = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** Follows local references only (`#/$defs/x`); anything else is left for the raw tab. */
function resolve(schema: Schema, root: Schema, depth: number): Schema {
  const ref = schema["$ref"];
  if (typeof ref !== "string" || depth > MAX_DEPTH) return schema;
  if (!ref.startsWith("#")) return {};
  const target = ref
    .slice(1)
    .split("/")
    .filter(Boolean)
    .reduce<unknown>(
      (at, step) =>
        isSchema(at) ? at[decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~")] : undefined,
      root,
    );
  return isSchema(target) ? resolve({ ...target, ...omitRef(schema) }, root, depth + 1) : {};
}
const omitRef = (schema: Schema): Schema =>
  Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$ref"));

/** `["string","null"]` and `anyOf: [x, null]` are x for a form: an empty field is left out. */
function unwrapNullable(schema: Schema, root: Schema): Schema {
  const type = schema["type"];
  if (Array.isArray(type)) {
    const real = type.filter((name) => name !== "null");
    return real.length === 1 ? { ...schema, type: real[0] } : { ...schema, type: undefined };
  }
  const choices = schema["anyOf"] ?? schema["oneOf"];
  if (!Array.isArray(choices)) return schema;
  const real = choices.filter(isSchema).filter((choice) => choice["type"] !== "null");
  const [only] = real;
  return real.length === 1 && only
    ? { ...resolve(only, root, 0), ...pick(schema, ["title", "description", "default"]) }
    : schema;
}
const pick = (schema: Schema, keys: readonly string[]): Schema =>
  Object.fromEntries(keys.filter((key) => key in schema).map((key) => [key, schema[key]]));

function fieldOf(key: string, raw: unknown, required: boolean, root: Schema, depth: number): SchemaField {
  const schema = unwrapNullable(resolve(isSchema(raw) ? raw : {}, root, 0), root);
  const base = {
    key,
    label: text(schema["title"]) || key,
    description: text(schema["description"]),
    required,
    initial: schema["default"],
  };
  if (depth > MAX_DEPTH) return { ...base, kind: "json" };
  if (Array.isArray(schema["enum"])) return { ...base, kind: "enum", options: schema["enum"] };
  if ("const" in schema) return { ...base, kind: "enum", options: [schema["const"]] };
  switch (schema["type"]) {
    case "string":
      return { ...base, kind: "string", multiline: isLong(key, schema), format: text(schema["format"]) || null };
    case "number":
    case "integer":
      return {
        ...base,
        kind: "number",
        integer: schema["type"] === "integer",
        min: numberOrNull(schema["minimum"]),
        max: numberOrNull(schema["maximum"]),
      };
    case "boolean":
      return { ...base, kind: "boolean" };
    case "array":
      return isSchema(schema["items"])
        ? { ...base, kind: "array", item: fieldOf("item", schema["items"], true, root, depth + 1) }
        : { ...base, kind: "json" };
    case "object":
      return isSchema(schema["properties"])
        ? { ...base, kind: "object", fields: fieldsOf(schema, root, depth + 1) }
        : { ...base, kind: "json" };
    default:
      return { ...base, kind: "json" };
  }
}
const isLong = (key: string, schema: Schema): boolean =>
  /^(content|text|body|prompt|query|message|code)$/i.test(key) && schema["format"] === undefined;

function fieldsOf(schema: Schema, root: Schema, depth: number): SchemaField[] {
  const properties = schema["properties"];
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  if (!isSchema(properties)) return [];
  return Object.entries(properties).map(([key, raw]) => fieldOf(key, raw, required.includes(key), root, depth));
}

/** The form of a tool's input schema, in the order the server wrote it. */
export function toFields(inputSchema: unknown): SchemaField[] {
  if (!isSchema(inputSchema)) return [];
  return fieldsOf(resolve(inputSchema, inputSchema, 0), inputSchema, 0);
}

/** A value to start from: defaults, and the least that a required field can hold. */
export function initialValue(field: SchemaField): unknown {
  if (field.initial !== undefined) return field.initial;
  if (field.kind === "object") {
    const value = initialArguments(field.fields);
    return field.required || Object.keys(value).length > 0 ? value : undefined;
  }
  if (!field.required) return undefined;
  switch (field.kind) {
    case "string":
      return "";
    case "boolean":
      return false;
    case "enum":
      return field.options[0];
    case "array":
      return [];
    default:
      return undefined;
  }
}

export function initialArguments(fields: readonly SchemaField[]): Record<string, unknown> {
  return withoutUndefined(Object.fromEntries(fields.map((field) => [field.key, initialValue(field)])));
}

/** An optional field that was emptied is left out instead of being sent as "". */
export function setKey(
  value: Readonly<Record<string, unknown>>,
  field: SchemaField,
  next: unknown,
): Record<string, unknown> {
  const emptied = next === undefined || (next === "" && !field.required);
  return withoutUndefined({ ...value, [field.key]: emptied ? undefined : next });
}

function withoutUndefined(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined));
}

export type ParsedArguments =
  | { readonly ok: true; readonly value: Record<string, unknown> }
  | { readonly ok: false; readonly problem: string };

/** The raw tab's text as arguments, or what is wrong with it. */
export function parseArguments(source: string): ParsedArguments {
  try {
    const value: unknown = JSON.parse(source.trim() === "" ? "{}" : source);
    return isSchema(value) ? { ok: true, value } : { ok: false, problem: "Arguments must be a JSON object, like {}." };
  } catch (cause) {
    return { ok: false, problem: cause instanceof Error ? `Not JSON: ${cause.message}` : "Not JSON." };
  }
}
