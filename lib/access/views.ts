import type { KnownTool } from "@/lib/access/known-tools";
import type { StoredVersion } from "@/lib/access/map-versions";
import type { PermissionMapVersionView, PermissionMapView } from "@/lib/access/schemas";

const EPOCH = new Date(0);

const ruleOf = (version: StoredVersion, tool: KnownTool): string | null =>
  Object.hasOwn(version.rules, `${tool.server}/${tool.tool}`)
    ? (version.rules[`${tool.server}/${tool.tool}`] ?? null)
    : null;

/** A version of the map beside everything it could map. */
export const toPermissionMapView = (version: StoredVersion, tools: readonly KnownTool[]): PermissionMapView => ({
  version: version.version,
  sha256: version.sha256,
  changedBy: version.changedBy,
  reason: version.reason,
  createdAt: (version.createdAt ?? EPOCH).toISOString(),
  tools: tools.map((tool) => ({
    server: tool.server,
    tool: tool.tool,
    description: tool.description,
    permission: ruleOf(version, tool),
    readOnly: tool.readOnly,
    destructive: tool.destructive,
    suggestedPermission: tool.suggestedPermission,
    reviewSha256: tool.definition?.reviewSha256 ?? null,
  })),
});

/** One line of the history. */
export const toVersionView = (version: StoredVersion): PermissionMapVersionView => ({
  version: version.version,
  sha256: version.sha256,
  changedBy: version.changedBy,
  reason: version.reason,
  createdAt: (version.createdAt ?? EPOCH).toISOString(),
  toolCount: Object.keys(version.rules).length,
});
