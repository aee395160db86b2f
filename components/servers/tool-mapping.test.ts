import { describe, expect, it } from "vitest";
import type { ServerToolView } from "@/lib/servers/schemas";
import { adviceFor } from "./failure-advice";
import { acceptSuggestions, giveTools, mappingChanges, mapTool, roleChanges, startMapping } from "./tool-mapping";

const tool = (name: string, suggestedPermission: string, permission: string | null = null): ServerToolView => ({
  name,
  title: null,
  description: "",
  inputSchema: {},
  annotations: null,
  definitionSha256: "",
  suggestedPermission,
  permission,
  review: null,
});
const tools = [
  tool("read", "files:read"),
  tool("list", "files:read"),
  tool("write", "files:write"),
  tool("old", "x:y", "files:old"),
];

describe("tool mapping", () => {
  it("accepts suggestions for unmapped tools only", () => {
    const draft = acceptSuggestions(mapTool(startMapping(tools), "write", "files:admin"), tools);
    expect(mappingChanges(draft, "files", tools)).toEqual([
      { server: "files", tool: "read", permission: "files:read" },
      { server: "files", tool: "list", permission: "files:read" },
      { server: "files", tool: "write", permission: "files:admin" },
    ]);
  });

  it("gives the tools of one permission together and grants each permission once", () => {
    const mapped = acceptSuggestions(startMapping(tools), tools);
    const draft = giveTools(mapped, tools, "clerk", ["read"], true);
    expect(draft.given["clerk"]).toEqual(["read", "list"]);
    expect(roleChanges(draft, tools, [{ slug: "clerk", permissions: [] }])).toEqual([
      { role: "clerk", permission: "files:read", granted: true },
    ]);
    expect(roleChanges(draft, tools, [{ slug: "clerk", permissions: ["files:read"] }])).toEqual([]);
    expect(giveTools(draft, tools, "clerk", ["list"], false).given["clerk"]).toEqual([]);
  });

  it("never gives an unmapped tool", () => {
    expect(giveTools(startMapping(tools), tools, "clerk", ["read"], true).given["clerk"]).toEqual([]);
  });
});

it("tells a refused command from a refused address", () => {
  expect(adviceFor("egress_refused", "stdio").title).toContain("allow-list");
  expect(adviceFor("egress_refused", "http").title).toContain("egress");
  expect(adviceFor("something_new", "http").steps.length).toBeGreaterThan(0);
});
