import "server-only";
import type { z } from "zod";
import { auditedAgent, readAgentDetail } from "@/lib/agents/detail";
import { agentChanged, requireMayGiveRoles, requireRoles } from "@/lib/agents/internal";
import { createAgentInput } from "@/lib/agents/schemas";
import { requirePermission } from "@/lib/audit/perform";
import { oneAtATime } from "@/lib/auth/role-changes";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import type { Role } from "@/lib/generated/prisma/client";

type Input = z.output<typeof createAgentInput>;

const refuse = (path: string, rule: string): AppError =>
  new AppError("invalid_input", `${path} ${rule}.`, { issues: [{ path, rule }] });

const ownMemberId = (ctx: RequestContext): string | null => (ctx.actor.kind === "user" ? ctx.actor.memberId : null);

async function prepare(ctx: RequestContext, input: Input): Promise<void> {
  const { ownerMemberId } = input;
  if (ownerMemberId !== undefined && ownerMemberId !== ownMemberId(ctx)) {
    await requirePermission(ctx, "members:read", "create an agent for another member");
  }
}

/** The roles as they are given: nobody changes or deletes them before that. */
async function rolesToGive(tx: TenantTx, ctx: RequestContext, slugs: readonly string[]): Promise<readonly Role[]> {
  if (slugs.length === 0) return [];
  await oneAtATime(tx, ctx.tenantId);
  const roles = await requireRoles(tx, ctx.tenantId, slugs);
  await requireMayGiveRoles(ctx, roles, "give an agent roles");
  return roles;
}

/** Every agent answers to a person: an active member of the same tenant. */
async function requireOwner(tx: TenantTx, ctx: RequestContext, input: Input): Promise<string> {
  const memberId = input.ownerMemberId ?? ownMemberId(ctx);
  if (memberId === null) throw refuse("ownerMemberId", "must name a member, because you are none of this tenant");
  const member = await tx.member.findUnique({ where: { tenantId_id: { tenantId: ctx.tenantId, id: memberId } } });
  if (member?.status !== "active") throw refuse("ownerMemberId", "must be an active member of this tenant");
  return memberId;
}

async function requireFreeSlug(tx: TenantTx, tenantId: string, slug: string): Promise<void> {
  await tx.$executeRaw`select pg_advisory_xact_lock(hashtextextended(${`agent_slug:${tenantId}:${slug}`}, 0))`;
  const taken = await tx.agent.findUnique({ where: { tenantId_slug: { tenantId, slug } }, select: { id: true } });
  if (taken === null) return;
  throw new AppError("conflict", `There is an agent called ${slug} already.`, {
    issues: [{ path: "slug", rule: "is taken by another agent" }],
  });
}

/** Creates an agent owned by a member. It can do nothing before it has roles and a key. */
export const createAgent = defineWrite({
  permission: "agents:write",
  input: createAgentInput,
  status: 201,
  prepare,
  run: async (tx, ctx, input) => {
    const { tenantId } = ctx;
    const { slug, name, description } = input;
    const roles = await rolesToGive(tx, ctx, input.roles);
    await requireFreeSlug(tx, tenantId, slug);
    const ownerMemberId = await requireOwner(tx, ctx, input);
    const id = newId();
    await tx.agent.create({ data: { tenantId, id, slug, name, description, ownerMemberId } });
    await tx.agentRole.createMany({ data: roles.map((role) => ({ tenantId, agentId: id, roleId: role.id })) });
    const agent = await readAgentDetail(tx, tenantId, id);
    return {
      result: agent,
      audit: { action: "agent.created", target: slug, after: { id, ...auditedAgent(agent) } },
      publish: [agentChanged(tenantId, id)],
    };
  },
});
