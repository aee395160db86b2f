import "server-only";
import { z } from "zod";
import { type KnownTool, readKnownTools } from "@/lib/access/known-tools";
import { readLatestVersion, readVersion, type StoredVersion } from "@/lib/access/map-versions";
import type { PermissionRules } from "@/lib/access/permission-map";
import { type AccessMatrix, getPermissionMapInput } from "@/lib/access/schemas";
import { toPermissionMapView, toVersionView } from "@/lib/access/views";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineRead } from "@/lib/db/verbs";

/** The map in force, or an older version, with every tool it could map. */
export const getPermissionMap = defineRead({
  permission: "access:read",
  input: getPermissionMapInput,
  run: async (tx, ctx, { version }) => {
    const stored =
      version === undefined ? await readLatestVersion(tx, ctx.tenantId) : await readVersion(tx, ctx.tenantId, version);
    return toPermissionMapView(stored, await readKnownTools(tx, ctx.tenantId));
  },
});

/** The history of the map, newest first. */
export const listPermissionMapVersions = defineRead({
  permission: "access:read",
  input: z.object({ limit: z.coerce.number().int().min(1).max(500).default(100) }),
  run: async (tx, ctx, { limit }) => {
    const rows = await tx.permissionMapVersion.findMany({
      where: { tenantId: ctx.tenantId },
      orderBy: { version: "desc" },
      take: limit,
    });
    return rows.map((row) => toVersionView({ ...row, rules: row.map as PermissionRules }));
  },
});

function groupByServer(tools: readonly KnownTool[], rules: PermissionRules): AccessMatrix["servers"] {
  const servers = new Map<
    string,
    { slug: string; name: string; tools: AccessMatrix["servers"][number]["tools"][number][] }
  >();
  const permissions = new Map(Object.entries(rules));
  for (const tool of tools) {
    const group = servers.get(tool.server) ?? { slug: tool.server, name: tool.serverName, tools: [] };
    servers.set(tool.server, group);
    group.tools.push({
      name: tool.tool,
      permission: permissions.get(`${tool.server}/${tool.tool}`) ?? null,
      readOnly: tool.readOnly,
      destructive: tool.destructive,
    });
  }
  return [...servers.values()];
}

/** Roles × tools as they are in this transaction. */
export async function readAccessMatrix(tx: TenantTx, tenantId: string): Promise<AccessMatrix> {
  const map: StoredVersion = await readLatestVersion(tx, tenantId);
  const roles = await tx.role.findMany({ where: { tenantId }, orderBy: [{ builtIn: "desc" }, { slug: "asc" }] });
  return {
    version: map.version,
    roles: roles.map(({ slug, name, builtIn, permissions }) => ({ slug, name, builtIn, permissions })),
    servers: groupByServer(await readKnownTools(tx, tenantId), map.rules),
  };
}

/** The matrix of roles and tools. */
export const getAccessMatrix = defineRead({
  permission: "access:read",
  input: z.object({}),
  run: (tx, ctx) => readAccessMatrix(tx, ctx.tenantId),
});
