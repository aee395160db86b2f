import { describe, expect, it } from "vitest";
import { checkArguments } from "./check-arguments";
import { initialArguments, parseArguments, setKey, toFields } from "./schema-fields";

const schema = {
  type: "object",
  required: ["path", "mode", "filter", "tags"],
  $defs: {
    filter: {
      type: "object",
      required: ["name"],
      properties: { name: { type: "string" }, max: { type: "integer", minimum: 1 } },
    },
  },
  properties: {
    path: { type: "string", title: "Path" },
    content: { type: "string" },
    mode: { enum: ["read", "write"] },
    limit: { type: ["integer", "null"], default: 10 },
    deep: { type: "boolean" },
    tags: { type: "array", items: { type: "string" } },
    filter: { $ref: "#/$defs/filter" },
    either: { anyOf: [{ type: "string" }, { type: "number" }] },
    maybe: { anyOf: [{ type: "boolean" }, { type: "null" }], description: "may be left out" },
  },
};

describe("toFields", () => {
  const fields = toFields(schema);
  const kind = Object.fromEntries(fields.map((field) => [field.key, field.kind]));
  it("reads the basics, references and nullables", () => {
    expect(kind).toEqual({
      path: "string",
      content: "string",
      mode: "enum",
      limit: "number",
      deep: "boolean",
      tags: "array",
      filter: "object",
      either: "json",
      maybe: "boolean",
    });
    expect(fields[0]?.label).toBe("Path");
    expect(fields.at(-1)?.description).toBe("may be left out");
  });
  it("starts from defaults and the least of what is required", () => {
    expect(initialArguments(fields)).toEqual({ path: "", mode: "read", limit: 10, tags: [], filter: { name: "" } });
  });
  it("leaves an emptied optional field out and keeps an empty required one", () => {
    const [path, content] = fields;
    if (!path || !content) throw new Error("fields missing");
    expect(setKey({ content: "a" }, content, "")).toEqual({});
    expect(setKey({}, path, "")).toEqual({ path: "" });
  });
  it("survives a schema that refers to itself and one that is not a schema", () => {
    const loop = { type: "object", properties: { child: { $ref: "#" } } };
    expect(toFields(loop)[0]?.kind).toBe("object");
    expect(toFields({ type: "object", properties: { a: { $ref: "#/nowhere" } } })[0]?.kind).toBe("json");
    expect(toFields("nonsense")).toEqual([]);
  });
});

describe("arguments", () => {
  it("must be a JSON object", () => {
    expect(parseArguments("[1]").ok).toBe(false);
    expect(parseArguments("{").ok).toBe(false);
    expect(parseArguments("")).toEqual({ ok: true, value: {} });
  });
  it("are checked with the problem at its field", () => {
    const problems = checkArguments(schema, { path: 1, mode: "read", tags: [], filter: { max: 0 } });
    expect(problems["filter.name"]).toBe("is required");
    expect(problems["filter.max"]).toBeTruthy();
    expect(problems["path"]).toBeTruthy();
    expect(checkArguments(schema, { path: "", mode: "read", tags: [], filter: { name: "" } })).toEqual({});
  });

  it("says what the gateway would say", () => {
    const schema = {
      properties: {
        n: { type: "integer", minimum: 2, maximum: 4 },
        kind: { enum: ["a", "b"] },
        name: { type: ["string", "null"], minLength: 2, maxLength: 3 },
      },
    };
    const said = (value: object) => Object.values(checkArguments(schema, value));
    expect(said({ n: "x" })).toEqual(["must be of type integer"]);
    expect(said({ n: 1 })).toEqual(["must be at least 2"]);
    expect(said({ n: 5 })).toEqual(["must be at most 4"]);
    expect(said({ kind: "c" })).toEqual(['must be one of "a", "b"']);
    expect(said({ name: 7 })).toEqual(["must be of type string or null"]);
    expect(said({ name: "a" })).toEqual(["must have at least 2 characters"]);
    expect(said({ name: "abcd" })).toEqual(["must have at most 3 characters"]);
  });
});
