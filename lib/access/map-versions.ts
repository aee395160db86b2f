import "server-only";
import { EMPTY_RULES, type PermissionRules, rulesSha256 } from "@/lib/access/permission-map";
import type { BusMessage } from "@/lib/core/bus";
import { actorName, type RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import type { TenantTx } from "@/lib/db/in-tenant";

export type StoredVersion = {
  readonly version: number;
  readonly sha256: string;
  readonly rules: PermissionRules;
  readonly reason: string;
  readonly changedBy: string;
  readonly createdAt: Date | null;
};

const NOTHING: StoredVersion = {
  version: 0,
  sha256: rulesSha256(EMPTY_RULES),
  rules: EMPTY_RULES,
  reason: "",
  changedBy: "",
  createdAt: null,
};

/** The version in force; version 0 maps nothing. */
export async function readLatestVersion(tx: TenantTx, tenantId: string): Promise<StoredVersion> {
  const row = await tx.permissionMapVersion.findFirst({ where: { tenantId }, orderBy: { version: "desc" } });
  return row === null ? NOTHING : { ...row, rules: row.map as PermissionRules };
}

/** One version by number. */
export async function readVersion(tx: TenantTx, tenantId: string, version: number): Promise<StoredVersion> {
  if (version === 0) return NOTHING;
  const row = await tx.permissionMapVersion.findUnique({ where: { tenantId_version: { tenantId, version } } });
  if (row === null) throw new AppError("not_found", `There is no version ${version} of the permission map.`);
  return { ...row, rules: row.map as PermissionRules };
}

/** Takes the map's lock for the rest of the transaction, so that two changes cannot both build on one version. */
export async function lockMap(tx: TenantTx, tenantId: string): Promise<void> {
  await tx.$executeRaw`select pg_advisory_xact_lock(hashtextextended(${`permission_map:${tenantId}`}, 0))`;
}

/** The version in force, locked; refuses a change that was drafted on an older one. */
export async function lockLatestVersion(tx: TenantTx, tenantId: string, baseVersion: number): Promise<StoredVersion> {
  await lockMap(tx, tenantId);
  const latest = await readLatestVersion(tx, tenantId);
  if (latest.version === baseVersion) return latest;
  throw new AppError(
    "stale_version",
    `The permission map is at version ${latest.version} by now; this change was drafted on version ${baseVersion}.`,
    { currentVersion: latest.version, baseVersion },
  );
}

/** Writes the next version. The lock of `lockMap` must be held. */
export async function appendVersion(
  tx: TenantTx,
  ctx: RequestContext,
  latest: StoredVersion,
  rules: PermissionRules,
  reason: string,
): Promise<StoredVersion> {
  const row = await tx.permissionMapVersion.create({
    data: {
      tenantId: ctx.tenantId,
      version: latest.version + 1,
      map: { ...rules },
      sha256: rulesSha256(rules),
      reason,
      changedBy: actorName(ctx.actor),
    },
  });
  return { ...row, rules };
}

export type RulesDiff = {
  readonly before: Readonly<Record<string, string | null>>;
  readonly after: Readonly<Record<string, string | null>>;
};

/** What differs between two documents; null stands for unmapped. */
export function diffRules(from: PermissionRules, to: PermissionRules): RulesDiff {
  const changed = [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .filter((key) => from[key] !== to[key])
    .sort();
  return {
    before: Object.fromEntries(changed.map((key) => [key, from[key] ?? null])),
    after: Object.fromEntries(changed.map((key) => [key, to[key] ?? null])),
  };
}

/** How a change of version stands in the trail. */
export function versionFact(from: StoredVersion, to: StoredVersion) {
  const diff = diffRules(from.rules, to.rules);
  return {
    action: "permission_map.changed" as const,
    target: `version ${to.version}`,
    before: { version: from.version, sha256: from.sha256, rules: diff.before },
    after: { version: to.version, sha256: to.sha256, rules: diff.after },
    reason: to.reason,
  };
}

export const mapChanged = (tenantId: string): BusMessage => ({ topic: "permission_map.changed", tenantId });

/** Takes a server's rules out of the map, so that a later server of the same name inherits nothing. */
export async function dropServerRules(
  tx: TenantTx,
  ctx: RequestContext,
  server: string,
): Promise<{ readonly from: StoredVersion; readonly to: StoredVersion } | null> {
  await lockMap(tx, ctx.tenantId);
  const from = await readLatestVersion(tx, ctx.tenantId);
  const kept = Object.entries(from.rules).filter(([key]) => !key.startsWith(`${server}/`));
  if (kept.length === Object.keys(from.rules).length) return null;
  const to = await appendVersion(tx, ctx, from, Object.fromEntries(kept), `server ${server} was retired`);
  return { from, to };
}
