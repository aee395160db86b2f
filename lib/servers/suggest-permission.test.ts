import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPermission } from "@/lib/core/permission";
import { suggestPermissions } from "@/lib/servers/suggest-permission";

const named = (...names: string[]) => names.map((name) => ({ name, annotations: null }));

describe("suggestPermissions", () => {
  it("names the domain most tools are about and the verb of each", () => {
    const tools = named("read_text_file", "write_file", "list_directory", "delete_file");
    expect([...suggestPermissions("fs1", tools)]).toEqual([
      ["read_text_file", "files:read"],
      ["write_file", "files:write"],
      ["list_directory", "files:read"],
      ["delete_file", "files:delete"],
    ]);
  });

  it("keeps the server's own name where the tools say nothing in common", () => {
    expect([
      ...suggestPermissions("everything", named("echo", "getSum", "trigger-long-running-operation")).values(),
    ]).toEqual(["everything:read", "everything:read", "everything:execute"]);
  });

  it("believes a server that says it writes over a name that sounds like reading", () => {
    const suggested = suggestPermissions("crm", [
      { name: "get_or_create", annotations: { readOnlyHint: false } },
      { name: "run_report", annotations: { readOnlyHint: true } },
      { name: "remove_all", annotations: { readOnlyHint: false, destructiveHint: true } },
      { name: "frobnicate", annotations: null },
    ]);
    expect([...suggested.values()]).toEqual(["crm:write", "crm:read", "crm:delete", "crm:execute"]);
  });

  it("suggests a valid permission outside the console's own namespaces for any name", () => {
    const slug = fc.constantFrom("admin", "platform", "servers", "audit", "crm", "a");
    fc.assert(
      fc.property(slug, fc.array(fc.oneof(fc.string(), fc.constantFrom("constructor", "toString"))), (at, names) => {
        for (const permission of suggestPermissions(at, named(...names)).values()) {
          expect(isPermission(permission)).toBe(true);
          expect(permission).not.toMatch(/^(admin|platform|servers|audit):/);
        }
      }),
    );
  });
});
