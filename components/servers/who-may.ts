import { covers, UNMAPPED_PERMISSION } from "@/lib/core/permission";
import type { RoleView } from "@/lib/members/schemas";

export type WhoMay = { readonly role: RoleView; readonly via: string };

/** Roles that cover what a tool needs, and by which of their permissions: the narrowest that does. */
export function whoMay(permission: string | null, roles: readonly RoleView[]): readonly WhoMay[] {
  const needed = permission ?? UNMAPPED_PERMISSION;
  const namespace = `${needed.slice(0, needed.indexOf(":"))}:*`;
  return roles.flatMap((role) => {
    if (!covers(new Set(role.permissions), needed)) return [];
    const via = [needed, namespace].find((each) => role.permissions.includes(each)) ?? UNMAPPED_PERMISSION;
    return [{ role, via }];
  });
}
