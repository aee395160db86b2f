import { describe, expect, it } from "vitest";
import { whoMay } from "@/components/servers/who-may";
import type { RoleView } from "@/lib/members/schemas";

const role = (slug: string, ...permissions: string[]): RoleView => ({
  ...{ id: slug, slug, name: slug, description: "", permissions, builtIn: false, memberCount: 0, agentCount: 0 },
});
const roles = [
  role("reader", "files:read"),
  role("keeper", "files:*", "files:read"),
  role("wide", "files:*"),
  role("admin", "admin:*"),
  role("other", "notes:read"),
];

describe("who may call a tool", () => {
  it("names the roles that cover its permission, and the narrowest that does", () => {
    expect(whoMay("files:read", roles).map(({ role: { slug }, via }) => [slug, via])).toEqual([
      ["reader", "files:read"],
      ["keeper", "files:read"],
      ["wide", "files:*"],
      ["admin", "admin:*"],
    ]);
  });
  it("leaves an unmapped tool to admins", () => {
    expect(whoMay(null, roles).map(({ role: { slug }, via }) => [slug, via])).toEqual([["admin", "admin:*"]]);
  });
});
