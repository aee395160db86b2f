import { describe, expect, it } from "vitest";
import type { PermissionMapView } from "@/lib/access/schemas";
import { unknownMappings, versionDiff } from "./version-diff";

const tool = (name: string, permission: string | null): PermissionMapView["tools"][number] => ({
  ...{ server: "files", tool: name, description: "", permission },
  ...{ readOnly: false, destructive: false, suggestedPermission: "files:read", reviewSha256: null },
});
const version = (...tools: PermissionMapView["tools"][number][]): PermissionMapView => ({
  ...{ version: 1, sha256: "", changedBy: "", reason: "", createdAt: "", tools },
});

describe("versionDiff", () => {
  it("names what was mapped, mapped otherwise and unmapped, and nothing else", () => {
    const before = version(
      tool("read", "files:read"),
      tool("write", null),
      tool("x/y", "files:write"),
      tool("z", null),
    );
    const after = version(
      tool("read", "files:admin"),
      tool("write", "files:write"),
      tool("x/y", null),
      tool("z", null),
    );
    expect(versionDiff(before, after)).toEqual([
      { key: "files/read", before: "files:read", after: "files:admin" },
      { key: "files/write", before: null, after: "files:write" },
      { key: "files/x/y", before: "files:write", after: null },
    ]);
    expect(versionDiff(after, after)).toEqual([]);
  });
});

describe("unknownMappings", () => {
  it("counts what a version holds and no tool shows", () => {
    expect(unknownMappings(version(tool("read", "files:read"), tool("write", null)), 3)).toBe(2);
    expect(unknownMappings(version(tool("read", "files:read")), 1)).toBe(0);
  });
});
