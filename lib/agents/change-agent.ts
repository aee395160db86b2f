import "server-only";
import type { z } from "zod";
import { auditedAgent, readAgentDetail } from "@/lib/agents/detail";
import {
  agentChanged,
  requireAgent,
  requireMayGiveRoles,
  requireMayRule,
  requireRoles,
  rolesInForce,
} from "@/lib/agents/internal";
import { type AgentDetail, changeAgentInput } from "@/lib/agents/schemas";
import { oneAtATime } from "@/lib/auth/role-changes";
import type { RequestContext } from "@/lib/core/context";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import type { Role } from "@/lib/generated/prisma/client";

type Input = z.output<typeof changeAgentInput>;

/** With the agent locked: what it holds while it is asked must be what it holds when it is changed. */
async function requireMayChange(tx: TenantTx, ctx: RequestContext, input: Input): Promise<void> {
  const { tenantId } = ctx;
  // Before the agent: who suspends a member takes this lock and then those of their agents.
  if (input.roles !== undefined) await oneAtATime(tx, tenantId);
  await tx.$executeRaw`select from agents where tenant_id = ${tenantId}::uuid and id = ${input.id}::uuid for update`;
  const row = await requireAgent(tx, tenantId, input.id);
  await requireMayRule(ctx, row, "change an agent of another member");
  const held = rolesInForce(row);
  const wanted = input.roles === undefined ? held : await requireRoles(tx, tenantId, input.roles);
  const [given, taken] = [without(wanted, held), without(held, wanted)];
  if (given.length > 0 || taken.length > 0) await requireMayGiveRoles(ctx, given, "change the roles of an agent");
}

const without = (roles: readonly Role[], others: readonly Role[]): readonly Role[] =>
  roles.filter((role) => !others.some((other) => other.id === role.id));

/** Makes the agent's roles exactly these. Grants in force that stay keep their time and their expiry; those that ran out are given anew. */
async function setRoles(tx: TenantTx, tenantId: string, agentId: string, slugs: readonly string[]): Promise<void> {
  const roles = await requireRoles(tx, tenantId, slugs);
  const ids = roles.map((role) => role.id);
  const gone = { OR: [{ roleId: { notIn: ids } }, { expiresAt: { lte: new Date() } }] };
  await tx.agentRole.deleteMany({ where: { tenantId, agentId, ...gone } });
  const data = ids.map((roleId) => ({ tenantId, agentId, roleId }));
  await tx.agentRole.createMany({ data, skipDuplicates: true });
}

function actionOf(before: AgentDetail, after: AgentDetail) {
  if (before.status === after.status) return "agent.changed" as const;
  return after.status === "suspended" ? ("agent.suspended" as const) : ("agent.resumed" as const);
}

/** Renames, gives roles, suspends or resumes. A suspended agent's keys open nothing from now on. */
export const changeAgent = defineWrite({
  permission: "agents:write",
  input: changeAgentInput,
  run: async (tx, ctx, input) => {
    await requireMayChange(tx, ctx, input);
    const { tenantId } = ctx;
    const { id, name, description, status, roles, reason } = input;
    const before = await readAgentDetail(tx, tenantId, id);
    const data = {
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
      ...(status === undefined ? {} : { status }),
    };
    await tx.agent.update({ where: { tenantId_id: { tenantId, id } }, data });
    if (roles !== undefined) await setRoles(tx, tenantId, id, roles);
    const after = await readAgentDetail(tx, tenantId, id);
    return {
      result: after,
      audit: {
        ...{ action: actionOf(before, after), target: after.slug },
        ...{ before: auditedAgent(before), after: auditedAgent(after) },
        ...(reason === undefined ? {} : { reason }),
      },
      publish: [agentChanged(tenantId, id)],
    };
  },
});
