import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listCost, SEARCH_COST } from "@/lib/profiles/catalog-cost";
import { makeMatches } from "@/lib/profiles/match";
import { createProfileInput, type ProfileTool } from "@/lib/profiles/schemas";

const matches = (tools: readonly ProfileTool[], name: string) => {
  const [server = "", tool = ""] = name.split("/");
  return makeMatches(tools)(server, tool);
};

describe("makeMatches", () => {
  it.each([
    [{ server: "files", tool: "read_file" }, "files/read_file", true],
    [{ server: "files", tool: "read_file" }, "files/read_files", false],
    [{ server: "files", tool: "read_file" }, "other/read_file", false],
    [{ server: "files", tool: "read_*" }, "files/read_file", true],
    [{ server: "files", tool: "read_*" }, "files/unread_file", false],
    [{ server: "*", tool: "*" }, "any/thing", true],
    [{ server: "*", tool: "*_file" }, "any/read_file", true],
    [{ server: "files", tool: "a.c" }, "files/abc", false],
    [{ server: "files", tool: "a.c" }, "files/a.c", true],
    [{ server: "files", tool: "*" }, "files/resources:read", true],
    [{ server: "files", tool: "resources:read" }, "files/resources:read", true],
    [{ server: "files", tool: "resources:read" }, "files/prompts:get", false],
    [{ server: "files", tool: "re*" }, "files/resources:read", false],
    [{ server: "files", tool: "*read" }, "files/resources:read", false],
    [{ server: "files", tool: "resources:read" }, "other/resources:read", false],
  ])("%j and %s: %s", (rule, name, wanted) => expect(matches([rule], name)).toBe(wanted));

  it("means what the same pattern means as a regular expression", () => {
    const glob = fc.string({ unit: fc.constantFrom("a", "b", ".", "*"), minLength: 1, maxLength: 7 });
    const name = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 8 });
    fc.assert(
      fc.property(glob, name, (tool, given) => {
        const source = tool.replaceAll(".", "\\.").replaceAll("*", ".*");
        expect(makeMatches([{ server: "*", tool }])("any", given)).toBe(new RegExp(`^${source}$`).test(given));
      }),
      { numRuns: 2_000 },
    );
  });

  it("takes no longer for what is made to take long", () => {
    const matches = makeMatches(Array(500).fill({ server: "*", tool: "*a*a*a*a*a*a*a*a*b" }));
    expect(matches("any", "a".repeat(128))).toBe(false);
  }, 2_000);

  it("takes nothing where nothing is named", () => expect(matches([], "files/read")).toBe(false));

  it("has bounds on what may be written", () => {
    const input = (tool: string) => ({ slug: "p", name: "P", tools: [{ server: "*", tool }] });
    expect(createProfileInput.safeParse(input("a*b*c*")).success).toBe(true);
    for (const tool of ["resources:read", "prompts:get"])
      expect(createProfileInput.safeParse(input(tool)).success).toBe(true);
    for (const tool of ["a*b*c*d*", "a b", "", "a/b", "(a+)+", "resources:*", "x:y"])
      expect(createProfileInput.safeParse(input(tool)).success).toBe(false);
    expect(createProfileInput.safeParse({ ...input("a"), tools: [] }).success).toBe(false);
  });
});

describe("what a list costs", () => {
  it("is its bytes, and a quarter of them as tokens", () => {
    const tools = [{ name: "a" }, { name: "bü" }];
    const cost = listCost(tools.map((tool) => Buffer.byteLength(JSON.stringify(tool))));
    const bytes = Buffer.byteLength(JSON.stringify(tools));
    expect(cost).toEqual({ toolCount: 2, bytes, estimatedTokens: Math.ceil(bytes / 4) });
    expect(listCost([])).toEqual({ toolCount: 0, bytes: 2, estimatedTokens: 1 });
    expect(SEARCH_COST.toolCount).toBe(2);
  });
});
