import "server-only";
import { AppError } from "@/lib/core/errors";
import { UNMAPPED_PERMISSION } from "@/lib/core/permission";
import type { Page } from "@/lib/core/wire";
import type { TenantTx } from "@/lib/db/in-tenant";

/** Call after the change, before it is recorded. A tenant without an admin could never be changed again. */
export async function requireAnAdmin(tx: TenantTx, tenantId: string): Promise<void> {
  const admin = await tx.memberRole.findFirst({
    // A grant that will expire is no lasting admin.
    where: {
      tenantId,
      expiresAt: null,
      member: { status: "active" },
      role: { permissions: { has: UNMAPPED_PERMISSION } },
    },
    select: { memberId: true },
  });
  if (admin === null) {
    throw new AppError(
      "conflict",
      "This would leave the tenant without an active admin. Give somebody else the admin role first.",
    );
  }
}

export type GivenRole = { readonly id: string; readonly slug: string; readonly permissions: readonly string[] };

/** The roles of those slugs; names every slug that is not a role here. */
export async function requireRoles(
  tx: TenantTx,
  tenantId: string,
  slugs: readonly string[],
): Promise<readonly GivenRole[]> {
  const wanted = [...new Set(slugs)];
  const roles = await tx.role.findMany({
    where: { tenantId, slug: { in: wanted } },
    select: { id: true, slug: true, permissions: true },
  });
  const issues = slugs.flatMap((slug, index) =>
    roles.some((role) => role.slug === slug)
      ? []
      : [{ path: `roles.${index}`, rule: `must be a role of this tenant, ${slug} is none` }],
  );
  if (issues.length > 0)
    throw new AppError("invalid_input", `There is no such role: ${issues.map(({ path }) => path).join(", ")}.`, {
      issues,
    });
  return roles;
}

/** Cuts a page from rows that were read one longer than asked; ids are time-ordered, so the last one is the cursor. */
export function pageOf<Row extends { readonly id: string }, T>(
  rows: readonly Row[],
  limit: number,
  toView: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  return { items: shown.map(toView), nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
}
