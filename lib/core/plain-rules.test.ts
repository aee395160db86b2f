import { describe, expect, it } from "vitest";
import { z } from "zod";
import { plainRules } from "@/lib/core/plain-rules";

const ruleFor = (schema: z.ZodType, input: unknown): string | undefined =>
  schema.safeParse(input, plainRules).error?.issues[0]?.message;

describe("the rule that an input breaks, after the name of its field", () => {
  it.each([
    ["what is empty", z.string().min(1), "", "is required"],
    ["what is missing", z.string(), undefined, "is required"],
    ["what is not chosen", z.enum(["us", "eu"]), undefined, "must be one of us, eu"],
    ["a choice that there is not", z.enum(["us", "eu"]), "uk", "must be one of us, eu"],
    ["the only value", z.literal(true), false, "must be true"],
    ["a text too short", z.string().min(8), "abc", "needs at least 8 characters"],
    ["a text too long", z.string().max(3), "abcd", "may have at most 3 characters"],
    ["another kind", z.string(), 7, "must be text"],
    ["a number left empty in a form", z.number(), Number.NaN, "must be a number"],
    ["a part of a number", z.number().int(), 1.5, "must be a whole number"],
    ["a number too small", z.number().min(1), 0, "must be at least 1"],
    ["nothing where there has to be something", z.number().positive(), 0, "must be more than 0"],
    ["a number too large", z.number().max(10), 11, "must be at most 10"],
    ["a number at its end", z.number().lt(10), 10, "must be less than 10"],
    ["an empty list", z.array(z.string()).min(1), [], "needs at least one entry"],
    ["a list too short", z.array(z.string()).min(2), ["a"], "needs at least 2 entries"],
    ["a list too long", z.array(z.string()).max(1), ["a", "b"], "may have at most one entry"],
    ["an address", z.email(), "nobody", "must be an e-mail address, such as name@example.org"],
    ["a time", z.iso.datetime(), "now", "must be a time with its zone, such as 2026-01-31T08:00:00Z"],
    ["fields that there are not", z.strictObject({}), { colour: "red" }, "does not know colour"],
    ["a step", z.number().multipleOf(5), 7, "must be a multiple of 5"],
  ])("names %s", (_, schema, input, rule) => {
    expect(ruleFor(schema, input)).toBe(rule);
  });

  it("leaves a rule alone that a schema words itself, and what it has no words for", () => {
    expect(ruleFor(z.string().regex(/^a/, "must start with an a"), "b")).toBe("must start with an a");
    expect(ruleFor(z.map(z.string(), z.string()), "b")).toMatch(/map/);
  });
});
