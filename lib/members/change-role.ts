import "server-only";
import { requireWithinOwn } from "@/lib/auth/own-permissions";
import { oneAtATime } from "@/lib/auth/role-changes";
import { AppError } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import { isOfPlatform } from "@/lib/core/permission";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import { requireAnAdmin } from "@/lib/members/internal";
import { changeRoleInput, createRoleInput, deleteRoleInput } from "@/lib/members/schemas";
import { roleSelect, toRoleView } from "@/lib/members/views";

/** A role of the tenant's own making: a name for a set of permissions. */
export const createRole = defineWrite({
  permission: "access:write",
  input: createRoleInput,
  status: 201,
  run: async (tx, ctx, input) => {
    const { tenantId } = ctx;
    await requireWithinOwn(ctx, input.permissions, `create role ${input.slug}`);
    refusePlatform(input.permissions);
    await oneAtATime(tx, tenantId);
    const taken = await tx.role.findUnique({
      where: { tenantId_slug: { tenantId, slug: input.slug } },
      select: { id: true },
    });
    if (taken !== null) throw new AppError("conflict", `There is a role ${input.slug} already.`);
    const data = { ...input, permissions: tidy(input.permissions), tenantId, id: newId() };
    const view = toRoleView(await tx.role.create({ data, select: roleSelect }));
    return {
      result: view,
      audit: { action: "role.created", target: input.slug, after: view },
      publish: [{ topic: "role.changed", tenantId }],
    };
  },
});

/** Changes what a custom role is called and holds, for everybody who holds it, at once. */
export const changeRole = defineWrite({
  permission: "access:write",
  input: changeRoleInput,
  run: async (tx, ctx, { slug, name, description, permissions }) => {
    const { tenantId } = ctx;
    await oneAtATime(tx, tenantId);
    const before = await requireCustomRole(tx, tenantId, slug);
    if (permissions !== undefined) {
      const differing = [
        ...permissions.filter((permission) => !before.permissions.includes(permission)),
        ...before.permissions.filter((permission) => !permissions.includes(permission)),
      ];
      await requireWithinOwn(ctx, differing, `change role ${slug}`);
      refusePlatform(permissions);
    }
    const row = await tx.role.update({
      where: { tenantId_slug: { tenantId, slug } },
      data: {
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description }),
        ...(permissions === undefined ? {} : { permissions: tidy(permissions) }),
      },
      select: roleSelect,
    });
    await requireAnAdmin(tx, tenantId);
    const view = toRoleView(row);
    return {
      result: view,
      audit: { action: "role.changed", target: slug, before: toRoleView(before), after: view },
      publish: [{ topic: "role.changed", tenantId }],
    };
  },
});

/** Removes a custom role that nobody holds. */
export const deleteRole = defineWrite({
  permission: "access:write",
  input: deleteRoleInput,
  status: 204,
  run: async (tx, { tenantId }, { slug }) => {
    await oneAtATime(tx, tenantId);
    const before = await requireCustomRole(tx, tenantId, slug);
    const { members, agents } = before._count;
    if (members + agents > 0) {
      throw new AppError(
        "conflict",
        `The role ${slug} is held by ${members} members and ${agents} agents. Take it from them first.`,
      );
    }
    await tx.role.delete({ where: { tenantId_slug: { tenantId, slug } }, select: { id: true } });
    return {
      result: null,
      audit: { action: "role.deleted", target: slug, before: toRoleView(before) },
      publish: [{ topic: "role.changed", tenantId }],
    };
  },
});

/** Even one who rules the platform gives it to nobody by a role of a tenant, where others than they could hand it on. */
function refusePlatform(permissions: readonly string[]): void {
  const issues = permissions.flatMap((permission, at) =>
    isOfPlatform(permission)
      ? [{ path: `permissions.${at}`, rule: `${permission} belongs to the platform and cannot be held by a role` }]
      : [],
  );
  if (issues.length > 0) throw new AppError("invalid_input", issues.map(({ rule }) => rule).join("; "), { issues });
}

const tidy = (permissions: readonly string[]): string[] => [...new Set(permissions)].sort();

async function requireCustomRole(tx: TenantTx, tenantId: string, slug: string) {
  const row = await tx.role.findUnique({ where: { tenantId_slug: { tenantId, slug } }, select: roleSelect });
  if (row === null) throw new AppError("not_found", `There is no role ${slug} in this tenant.`);
  if (row.builtIn)
    throw new AppError("conflict", `${slug} is a built-in role and stays as it is. Create one of your own instead.`);
  return row;
}
