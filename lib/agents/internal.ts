import "server-only";
import { requireMayGrant } from "@/lib/access/change-role-grants";
import { requirePermission } from "@/lib/audit/perform";
import type { BusMessage } from "@/lib/core/bus";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import type { TenantTx } from "@/lib/db/in-tenant";
import type { Agent, AgentKey, Member, Role, User } from "@/lib/generated/prisma/client";

export type AgentRow = Agent & {
  readonly owner: Member & { readonly user: User };
  readonly roles: readonly { readonly expiresAt: Date | null; readonly role: Role }[];
  readonly keys: readonly AgentKey[];
};

/** Everything the views of an agent are made from. */
export const AGENT_PARTS = {
  owner: { include: { user: true } },
  roles: { include: { role: true }, orderBy: { role: { slug: "asc" } } },
  keys: { orderBy: { createdAt: "desc" } },
} as const;

/** The agent of this tenant; another tenant's id is as unknown as one that never was. */
export async function requireAgent(tx: TenantTx, tenantId: string, id: string): Promise<AgentRow> {
  const row = await tx.agent.findUnique({ where: { tenantId_id: { tenantId, id } }, include: AGENT_PARTS });
  if (row === null) throw new AppError("not_found", "There is no such agent.");
  return row;
}

/** Grants that have not run out. */
export const rolesInForce = (row: Pick<AgentRow, "roles">, now = new Date()): readonly Role[] =>
  row.roles.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).map(({ role }) => role);

/** The roles by slug, or invalid_input naming those that do not exist. */
export async function requireRoles(tx: TenantTx, tenantId: string, slugs: readonly string[]): Promise<readonly Role[]> {
  const roles = await tx.role.findMany({ where: { tenantId, slug: { in: [...slugs] } } });
  const known = new Set(roles.map((role) => role.slug));
  const issues = slugs.flatMap((slug, at) =>
    known.has(slug) ? [] : [{ path: `roles.${at}`, rule: `there is no role ${slug}` }],
  );
  if (issues.length > 0) throw new AppError("invalid_input", issues.map(({ rule }) => rule).join("; "), { issues });
  return roles;
}

/** Giving a role is giving its permissions: it needs `access:write`, and every one of them. */
export async function requireMayGiveRoles(ctx: RequestContext, roles: readonly Role[], act: string): Promise<void> {
  await requirePermission(ctx, "access:write", act);
  await requireMayGrant(ctx, new Set(roles.flatMap((role) => role.permissions)), act);
}

/** One's own agents, or all of them with `access:write`: a key or a wake-up of another's agent would lend its roles. */
export async function requireMayRule(
  ctx: RequestContext,
  row: Pick<Agent, "ownerMemberId">,
  act: string,
): Promise<void> {
  const own = ctx.actor.kind === "user" && ctx.actor.memberId === row.ownerMemberId;
  if (!own) await requirePermission(ctx, "access:write", act);
}

export const agentChanged = (tenantId: string, agentId: string): BusMessage => ({
  topic: "agent.changed",
  tenantId,
  agentId,
});
