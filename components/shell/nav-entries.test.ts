import { describe, expect, it } from "vitest";
import { crumbsOf, hrefOf, TENANT_ENTRIES, visibleEntries } from "@/components/shell/nav-entries";

const paths = (permissions: string[]) => visibleEntries(permissions).map((entry) => entry.path);

describe("visibleEntries", () => {
  it("shows everything to a tenant admin", () => {
    expect(paths(["admin:*"])).toHaveLength(TENANT_ENTRIES.length);
  });
  it("hides what a person may not read", () => {
    expect(paths(["metrics:read", "audit:*"])).toEqual(["overview", "audit"]);
    expect(paths([])).toEqual([]);
  });
  it("gives every entry its own key", () => {
    expect(new Set(TENANT_ENTRIES.map((entry) => entry.key)).size).toBe(TENANT_ENTRIES.length);
  });
});

describe("crumbsOf", () => {
  it("names the section and what is open in it", () => {
    expect(crumbsOf("/clinic/servers/files")).toEqual([
      { label: "Servers", href: "/clinic/servers" },
      { label: "files", href: null },
    ]);
  });
  it("says in words what is no name", () => {
    expect(crumbsOf("/clinic/servers/new").at(-1)).toEqual({ label: "Register", href: null });
    expect(crumbsOf("/clinic/agents/a1/connect")).toEqual([
      { label: "Agents", href: "/clinic/agents" },
      { label: "a1", href: "/clinic/agents/a1" },
      { label: "Connect", href: null },
    ]);
  });
  it("has no section on the tenant's root", () => {
    expect(crumbsOf("/clinic")).toEqual([]);
  });
  it("names what is outside any tenant", () => {
    expect(crumbsOf("/platform/tenants")).toEqual([{ label: "Tenants", href: null }]);
  });
});

describe("hrefOf", () => {
  it("prefixes the tenant unless the entry is outside of it", () => {
    const [overview] = TENANT_ENTRIES;
    expect(overview && hrefOf(overview, "clinic")).toBe("/clinic/overview");
    expect(overview && hrefOf({ ...overview, path: "/platform/tenants" }, "clinic")).toBe("/platform/tenants");
  });
});
