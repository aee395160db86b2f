import "server-only";
import { readAccessMatrix } from "@/lib/access/read";
import { changeRoleGrantsInput } from "@/lib/access/schemas";
import { requirePermission } from "@/lib/audit/perform";
import { requireWithinOwn } from "@/lib/auth/own-permissions";
import { oneAtATime } from "@/lib/auth/role-changes";
import type { RequestContext } from "@/lib/core/context";
import { AppError, type FieldIssue } from "@/lib/core/errors";
import { isOfPlatform } from "@/lib/core/permission";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import { requireAnAdmin } from "@/lib/members/internal";

type Change = { readonly role: string; readonly permission: string; readonly granted: boolean };
type RoleRow = {
  readonly id: string;
  readonly slug: string;
  readonly builtIn: boolean;
  readonly permissions: readonly string[];
};

/** Nobody gives what they do not hold themselves, and nobody gives the platform's namespace inside a tenant. */
export async function requireMayGrant(ctx: RequestContext, permissions: Iterable<string>, act: string): Promise<void> {
  for (const permission of permissions) {
    if (isOfPlatform(permission)) {
      const rule = `${permission} belongs to the platform and cannot be granted inside a tenant`;
      throw new AppError("invalid_input", rule, { issues: [{ path: "permission", rule }] });
    }
    await requirePermission(ctx, permission, act);
  }
}

async function lockRoles(
  tx: TenantTx,
  tenantId: string,
  slugs: readonly string[],
): Promise<ReadonlyMap<string, RoleRow>> {
  // Permissions are one array per role: without the lock two changes at once would lose one of them.
  await tx.$queryRaw`select id from roles where tenant_id = ${tenantId}::uuid and slug = any(${[...slugs]}) order by id for update`;
  const roles = await tx.role.findMany({ where: { tenantId, slug: { in: [...slugs] } } });
  return new Map(roles.map((role) => [role.slug, role]));
}

function requireChangeable(roles: ReadonlyMap<string, RoleRow>, changes: readonly Change[]): void {
  const issues = changes.flatMap(({ role }, at): FieldIssue[] => {
    const row = roles.get(role);
    if (row === undefined) return [{ path: `changes.${at}.role`, rule: `there is no role ${role}` }];
    return row.builtIn
      ? [{ path: `changes.${at}.role`, rule: `${role} is built in and cannot be changed; make a role of your own` }]
      : [];
  });
  if (issues.length === 0) return;
  throw new AppError("invalid_input", issues.map(({ rule }) => rule).join("; "), { issues });
}

function nextPermissions(row: RoleRow, changes: readonly Change[]): readonly string[] {
  const held = new Set(row.permissions);
  for (const change of changes) {
    if (change.role !== row.slug) continue;
    if (change.granted) held.add(change.permission);
    else held.delete(change.permission);
  }
  return [...held].sort();
}

/** Gives and takes permissions of custom roles, all of it or nothing. */
export const changeRoleGrants = defineWrite({
  permission: "access:write",
  input: changeRoleGrantsInput,
  prepare: async (ctx, { changes }) => {
    const which = (granted: boolean) =>
      new Set(changes.filter((change) => change.granted === granted).map((change) => change.permission));
    await requireMayGrant(ctx, which(true), "grant a permission to a role");
    await requireWithinOwn(ctx, which(false), "take a permission from a role");
  },
  run: async (tx, ctx, { changes, reason }) => {
    await oneAtATime(tx, ctx.tenantId);
    const slugs = [...new Set(changes.map((change) => change.role))];
    const roles = await lockRoles(tx, ctx.tenantId, slugs);
    requireChangeable(roles, changes);
    const before: Record<string, readonly string[]> = {};
    const after: Record<string, readonly string[]> = {};
    for (const role of roles.values()) {
      before[role.slug] = role.permissions;
      after[role.slug] = nextPermissions(role, changes);
      await tx.role.update({
        where: { tenantId_id: { tenantId: ctx.tenantId, id: role.id } },
        data: { permissions: [...(after[role.slug] ?? [])] },
      });
    }
    await requireAnAdmin(tx, ctx.tenantId);
    return {
      result: await readAccessMatrix(tx, ctx.tenantId),
      audit: { action: "role_grants.changed", target: slugs.join(","), before, after, reason },
      publish: [{ topic: "role.changed", tenantId: ctx.tenantId }],
    };
  },
});
