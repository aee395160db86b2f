import { describe, expect, it } from "vitest";
import type { ServerToolView } from "@/lib/servers/schemas";
import { adviceFor } from "./failure-advice";
import {
  acceptSuggestions,
  giveTools,
  mappingChanges,
  mapTool,
  redefinedTools,
  roleChanges,
  showAnew,
  startMapping,
} from "./tool-mapping";

const tool = (name: string, suggestedPermission: string, permission: string | null = null): ServerToolView => ({
  name,
  title: null,
  description: "",
  inputSchema: {},
  annotations: null,
  definitionSha256: "",
  reviewSha256: `${name}, as shown`,
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
      { server: "files", tool: "read", permission: "files:read", reviewSha256: "read, as shown" },
      { server: "files", tool: "list", permission: "files:read", reviewSha256: "list, as shown" },
      { server: "files", tool: "write", permission: "files:admin", reviewSha256: "write, as shown" },
    ]);
  });

  it("approves what was shown, until the person has seen what a tool says now", () => {
    const draft = mapTool(startMapping(tools), "read", "files:read");
    const now = tools.map((each) => (each.name === "read" ? { ...each, reviewSha256: "anew" } : each));
    expect(redefinedTools(draft, tools)).toEqual([]);
    expect(redefinedTools(draft, now).map(({ name }) => name)).toEqual(["read"]);
    expect(mappingChanges(draft, "files", now)).toMatchObject([{ reviewSha256: "read, as shown" }]);
    const seen = showAnew(draft, now);
    expect(redefinedTools(seen, now)).toEqual([]);
    expect(mappingChanges(seen, "files", now)).toMatchObject([{ permission: "files:read", reviewSha256: "anew" }]);
    expect(redefinedTools(seen, [...now, tool("late", "files:read")]).map(({ name }) => name)).toEqual(["late"]);
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
