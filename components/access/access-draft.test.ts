import { describe, expect, it } from "vitest";
import type { AccessMatrix, PermissionMapView } from "@/lib/access/schemas";
import {
  draftSize,
  EMPTY_DRAFT,
  grantChanges,
  impactOf,
  mapChanges,
  rebase,
  stageGrant,
  stageMapping,
} from "./access-draft";

const clerk = { slug: "clerk", name: "Clerk", builtIn: false, permissions: ["files:read"] };
const admin = { slug: "tenant-admin", name: "Tenant admin", builtIn: true, permissions: ["admin:*"] };
const tool = (name: string, permission: string | null) => ({ name, permission, readOnly: false, destructive: false });
const matrix: AccessMatrix = {
  version: 3,
  roles: [clerk, admin],
  servers: [
    {
      slug: "files",
      name: "Files",
      tools: [tool("read", "files:read"), tool("write", "files:write"), tool("x/y", null)],
    },
  ],
};
const mapped = (name: string, permission: string | null): PermissionMapView["tools"][number] => ({
  server: "files",
  tool: name,
  description: "",
  permission,
  readOnly: false,
  destructive: false,
  suggestedPermission: "files:read",
  reviewSha256: name,
});

describe("access draft", () => {
  it("unstages a mapping that returns to what is in force", () => {
    const staged = stageMapping(EMPTY_DRAFT, "files/read", "files:read", "files:write");
    expect(mapChanges(staged, [])).toEqual([{ server: "files", tool: "read", permission: "files:write" }]);
    expect(draftSize(stageMapping(staged, "files/read", "files:read", "files:read"))).toBe(0);
  });

  it("keeps a slash inside a tool name and stages unmapping as null", () => {
    const staged = stageMapping(EMPTY_DRAFT, "files/x/y", "files:read", null);
    expect(mapChanges(staged, [])).toEqual([{ server: "files", tool: "x/y", permission: null }]);
  });

  it("unstages a grant that returns to what the role holds", () => {
    const staged = stageGrant(EMPTY_DRAFT, clerk, "files:write", true);
    expect(grantChanges(staged)).toEqual([{ role: "clerk", permission: "files:write", granted: true }]);
    expect(draftSize(stageGrant(staged, clerk, "files:write", false))).toBe(0);
  });

  it("tells who gains and who loses, and leaves out roles that see no difference", () => {
    const draft = stageGrant(
      stageMapping(EMPTY_DRAFT, "files/read", "files:read", "files:peek"),
      clerk,
      "files:write",
      true,
    );
    expect(impactOf(matrix, draft)).toEqual([{ role: "clerk", gained: ["files/write"], lost: ["files/read"] }]);
  });

  it("names what was shown of a tool that it maps for the first time", () => {
    const draft = {
      map: { "files/a": "files:read", "files/b": "files:read", "files/c": null, "files/d": "files:read" },
    };
    const resources = { ...mapped("d", null), reviewSha256: null };
    const shown = [mapped("a", null), mapped("b", "files:write"), mapped("c", "files:write"), resources];
    expect(mapChanges({ ...draft, grants: {} }, shown)).toEqual([
      { server: "files", tool: "a", permission: "files:read", reviewSha256: "a" },
      { server: "files", tool: "b", permission: "files:read" },
      { server: "files", tool: "c", permission: null },
      { server: "files", tool: "d", permission: "files:read" },
    ]);
  });

  it("says of a draft that is carried over which of its tools are defined anew, with what they say now", () => {
    const draft = { map: { "files/a": "files:read", "files/b": "files:read" }, grants: {} };
    const before = [mapped("a", null), mapped("b", null), mapped("c", null)];
    const anew = (name: string) => ({ ...mapped(name, null), reviewSha256: "another", description: "Sends." });
    const now = [anew("a"), mapped("b", null), anew("c")];
    const { draft: carried, redefined } = rebase(draft, before, now);
    expect(carried).toEqual(draft);
    expect(redefined).toEqual([{ key: "files/a", server: "files", tool: "a", before: "", after: "Sends." }]);
    expect(mapChanges(carried, now)[0]).toMatchObject({ tool: "a", reviewSha256: "another" });
  });

  it("rebases: mine already there is dropped, changed by others collides, the rest stays", () => {
    const draft = { map: { "files/a": "files:read", "files/b": "files:read", "files/c": "files:read" }, grants: {} };
    const before = [mapped("a", null), mapped("b", null), mapped("c", null)];
    const now = [mapped("a", "files:read"), mapped("b", "files:write"), mapped("c", null)];
    const result = rebase(draft, before, now);
    expect(Object.keys(result.draft.map)).toEqual(["files/b", "files/c"]);
    expect(result.collisions).toEqual([{ key: "files/b", base: null, theirs: "files:write", mine: "files:read" }]);
  });
});
