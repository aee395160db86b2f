import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  annotationFault,
  headerText,
  headerValue,
  paramHeaders,
  paramMismatch,
} from "@/lib/mcp/upstream/param-headers";

const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });
const marked = (header: unknown, type: unknown = "string") => ({ type, "x-mcp-header": header });

const SCHEMA = object({
  region: marked("Region"),
  count: marked("Count", "integer"),
  sure: marked("Sure", "boolean"),
  deep: object({ er: marked("Deeper") }),
  plain: { type: "string" },
});

describe("values in headers", () => {
  it("come back as they were, whatever they hold", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const value = headerValue(text);
        expect(value).toMatch(/^[\x20-\x7e\t]+$/);
        expect(value).toBe(value.trim());
        expect(headerText(value)).toBe(text);
      }),
    );
  });

  it.each(["SGVsbG8", "SGVs!!!bG8=", "SGVsbG9=", "/w==", "SGVs bG8="])(
    "are refused where %s is no Base64",
    (encoded) => {
      expect(headerText(`=?base64?${encoded}?=`)).toBeNull();
    },
  );

  it.each(["SGVsbG8=", "=?base64?SGVsbG8=", "SGVsbG8=?="])("stand for themselves without both marks: %s", (text) => {
    expect(headerText(text)).toBe(text);
  });
});

describe("a schema's marks", () => {
  it.each<[string, object]>([
    ["an empty name", object({ a: marked("") })],
    ["a name with a space", object({ a: marked("My Region") })],
    ["a name with a colon", object({ a: marked("Region:Primary") })],
    ["a name beyond ASCII", object({ a: marked("Région") })],
    ["a name with a control character", object({ a: marked("Region\t1") })],
    ["a name that is none", object({ a: marked(7) })],
    ["an object", object({ a: marked("A", "object") })],
    ["an array", object({ a: marked("A", "array") })],
    ["null", object({ a: marked("A", "null") })],
    ["a number", object({ a: marked("A", "number") })],
    ["several types", object({ a: marked("A", ["string", "null"]) })],
    ["the same name twice", object({ a: marked("Region"), b: marked("region") })],
    ["the root", { type: "object", "x-mcp-header": "Root" }],
    ["items", object({ list: { type: "array", items: marked("Item") } })],
    ["a branch", object({}, { anyOf: [object({ a: marked("A") })] })],
    ["a condition", object({}, { if: object({ a: marked("A") }) })],
    ["a definition", object({ a: { $ref: "#/$defs/a" } }, { $defs: { a: marked("A") } })],
    ["what matches a pattern", object({}, { patternProperties: { "^a": marked("A") } })],
  ])("are refused on %s", (_, schema) => {
    expect(annotationFault(schema as Record<string, unknown>)).toEqual(expect.any(String));
    // Nothing of such a schema counts.
    expect(paramHeaders(schema as Record<string, unknown>, { a: "x", list: ["x"] })).toEqual({});
  });

  it("may stand anywhere below properties, and as plain data everywhere", () => {
    expect(annotationFault(SCHEMA)).toBeNull();
    const data = object({ "x-mcp-header": { type: "string" }, a: { default: { "x-mcp-header": "no" } } });
    expect(annotationFault(data)).toBeNull();
  });

  it("become headers for what is given", () => {
    const args = { region: "eu", count: 3, sure: false, deep: { er: "ä" }, plain: "x" };
    expect(paramHeaders(SCHEMA, args)).toEqual({
      "mcp-param-region": "eu",
      "mcp-param-count": "3",
      "mcp-param-sure": "false",
      "mcp-param-deeper": "=?base64?w6Q=?=",
    });
    expect(paramHeaders(SCHEMA, { region: null, deep: "x", count: 2 ** 60 })).toEqual({});
    expect(paramHeaders(object({ toString: marked("T") }), {})).toEqual({});
  });
});

describe("headers and arguments", () => {
  const check = (args: object, headers: Record<string, string>) =>
    paramMismatch(SCHEMA, args, (name) => headers[name] ?? null)?.header ?? null;

  it("agree where both say the same, and where nothing is given", () => {
    expect(check({ region: "eu" }, { "mcp-param-region": "eu" })).toBeNull();
    expect(check({ region: "eu" }, { "mcp-param-region": "=?base64?ZXU=?=" })).toBeNull();
    expect(check({ count: 42 }, { "mcp-param-count": "42.0" })).toBeNull();
    expect(check({ plain: "x" }, { "mcp-param-plain": "y" })).toBeNull();
    expect(check({ region: null }, {})).toBeNull();
    expect(check({}, { "mcp-param-region": "eu" })).toBeNull();
  });

  it.each<[object, Record<string, string>, string]>([
    [{ region: "eu" }, {}, "mcp-param-region"],
    [{ region: "eu" }, { "mcp-param-region": "us" }, "mcp-param-region"],
    [{ region: "eu" }, { "mcp-param-region": "EU" }, "mcp-param-region"],
    [{ region: "eu" }, { "mcp-param-region": "eu, us" }, "mcp-param-region"],
    [{ region: "eu" }, { "mcp-param-region": "=?base64?ZXU?=" }, "mcp-param-region"],
    [{ region: "42" }, { "mcp-param-region": "42.0" }, "mcp-param-region"],
    [{ count: 42 }, { "mcp-param-count": "43" }, "mcp-param-count"],
    [{ count: 42 }, { "mcp-param-count": "0x2a" }, "mcp-param-count"],
    [{ sure: true }, { "mcp-param-sure": "True" }, "mcp-param-sure"],
    [{ deep: { er: "a" } }, { "mcp-param-deeper": "b" }, "mcp-param-deeper"],
  ])("disagree: %j with %j", (args, headers, header) => {
    expect(check(args, headers)).toBe(header);
  });
});
