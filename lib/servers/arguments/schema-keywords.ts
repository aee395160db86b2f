import { isRecord } from "@/lib/mcp/upstream/protocol";

export type Dialect = "2020-12" | "2019-09" | "draft-07";

const KNOWN_DIALECTS: ReadonlyMap<string, Dialect> = new Map([
  ["json-schema.org/draft/2020-12/schema", "2020-12"],
  ["json-schema.org/draft/2019-09/schema", "2019-09"],
  ["json-schema.org/draft-07/schema", "draft-07"],
  // Every schema of it means the same there.
  ["json-schema.org/draft-06/schema", "draft-07"],
]);

/** The dialect that a `$schema` names; the protocol's own where none is named, null for one that is not known here. */
export const dialectNamed = (named: unknown): Dialect | null =>
  named === undefined
    ? "2020-12"
    : (KNOWN_DIALECTS.get(
        String(named)
          .replace(/^https?:\/\//, "")
          .replace(/#$/, ""),
      ) ?? null);

const TYPES: ReadonlySet<unknown> = new Set(["string", "number", "integer", "boolean", "object", "array", "null"]);
const isText = (value: unknown): boolean => typeof value === "string";
const isFlag = (value: unknown): boolean => typeof value === "boolean";
const isFigure = (value: unknown): boolean => Number.isFinite(value);
const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;
export const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

/** Keywords that hold no schema, and what they may hold. */
export const PLAIN: ReadonlyMap<string, (value: unknown) => boolean> = new Map(
  Object.entries({
    type: (value) =>
      Array.isArray(value) ? value.length > 0 && value.every((each) => TYPES.has(each)) : TYPES.has(value),
    enum: (value) => Array.isArray(value) && value.length > 0,
    const: () => true,
    required: areTexts,
    dependentRequired: (value) => isRecord(value) && Object.values(value).every(areTexts),
    ...{ minimum: isFigure, maximum: isFigure, exclusiveMinimum: isFigure, exclusiveMaximum: isFigure },
    multipleOf: (value) => isFigure(value) && (value as number) > 0,
    ...{ minLength: isCount, maxLength: isCount, minItems: isCount, maxItems: isCount },
    ...{ minProperties: isCount, maxProperties: isCount, minContains: isCount, maxContains: isCount },
    ...{ pattern: isText, uniqueItems: isFlag, $recursiveAnchor: isFlag },
    ...{
      $id: isText,
      $ref: isText,
      $anchor: isText,
      $dynamicRef: isText,
      $dynamicAnchor: isText,
      $recursiveRef: isText,
    },
  }),
);

export const ONE: ReadonlySet<string> = new Set([
  ...["additionalProperties", "additionalItems", "contains", "propertyNames", "unevaluatedItems"],
  ...["unevaluatedProperties", "not", "if", "then", "else"],
]);
export const LIST: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
export const BY_NAME: ReadonlySet<string> = new Set([
  ...["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"],
]);
