import "server-only";
import type { z } from "zod";
import { type SuspendedAgents, suspendAgentsOf } from "@/lib/agents/suspend-agents-of";
import { requireWithinOwn } from "@/lib/auth/own-permissions";
import { oneAtATime } from "@/lib/auth/role-changes";
import { AppError } from "@/lib/core/errors";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import { type GivenRole, requireAnAdmin, requireRoles } from "@/lib/members/internal";
import { type ChangedMember, changeMemberInput } from "@/lib/members/schemas";
import { type MemberRow, memberSelect, toMemberView } from "@/lib/members/views";

type Change = z.output<typeof changeMemberInput>;

const NONE: SuspendedAgents = { slugs: [], publish: [] };

/**
 * Gives and takes roles, suspends and reinstates. Effective with the person's next request: every request asks anew.
 * Agents of a member who leaves are suspended with them where that is asked; they do not come back with the member.
 */
export const changeMember = defineWrite({
  permission: "members:write",
  input: changeMemberInput,
  run: async (tx, ctx, input) => {
    const { tenantId } = ctx;
    await oneAtATime(tx, tenantId);
    const before = await requireMember(tx, tenantId, input.id);
    const wanted = input.roles === undefined ? null : await requireRoles(tx, tenantId, input.roles);
    await requireWithinOwn(ctx, touched(before, wanted, input), `change member ${before.user.email}`);
    if (wanted !== null) await replaceRoles(tx, tenantId, input.id, wanted);
    if (input.status !== undefined) {
      await tx.member.update({ where: { tenantId_id: { tenantId, id: input.id } }, data: { status: input.status } });
    }
    await requireAnAdmin(tx, tenantId);
    const after = toMemberView(await requireMember(tx, tenantId, input.id));
    const agents = input.suspendAgents ? await suspendAgentsOf(tx, ctx, input.id, input.reason) : NONE;
    const result: ChangedMember = { ...after, suspendedAgents: agents.slugs };
    return {
      result,
      audit: {
        action: actionOf(before, input),
        target: before.user.email,
        before: toMemberView(before),
        after,
        ...(input.reason === undefined ? {} : { reason: input.reason }),
      },
      publish: [{ topic: "role.changed", tenantId }, ...agents.publish],
    };
  },
});

async function requireMember(tx: TenantTx, tenantId: string, id: string): Promise<MemberRow> {
  const where = { tenantId_id: { tenantId, id } };
  const row = await tx.member.findUnique({ where, select: memberSelect(new Date()) });
  if (row === null) throw new AppError("not_found", "There is no such member in this tenant.");
  return row;
}

/** Every permission that the change gives to or takes from the person. */
function touched(before: MemberRow, wanted: readonly GivenRole[] | null, input: Change): string[] {
  const had = before.roles.map(({ role }) => role);
  const statusChanges = input.status !== undefined && input.status !== before.status;
  const kept = (role: { slug: string }) => wanted === null || wanted.some(({ slug }) => slug === role.slug);
  const new_ = (wanted ?? []).filter(({ slug }) => !had.some((role) => role.slug === slug));
  const taken = had.filter((role) => statusChanges || !kept(role));
  return [...new_, ...taken].flatMap((role) => role.permissions);
}

async function replaceRoles(
  tx: TenantTx,
  tenantId: string,
  memberId: string,
  wanted: readonly GivenRole[],
): Promise<void> {
  const roleIds = wanted.map((role) => role.id);
  const now = new Date();
  // Grants that have expired go as well, so that naming the role again gives it anew.
  const gone = { OR: [{ roleId: { notIn: roleIds } }, { expiresAt: { lte: now } }] };
  await tx.memberRole.deleteMany({ where: { tenantId, memberId, ...gone } });
  await tx.memberRole.createMany({
    data: roleIds.map((roleId) => ({ tenantId, memberId, roleId })),
    skipDuplicates: true,
  });
}

function actionOf(before: MemberRow, input: Change): "member.suspended" | "member.reinstated" | "member.changed" {
  if (input.status === undefined || input.status === before.status) return "member.changed";
  return input.status === "suspended" ? "member.suspended" : "member.reinstated";
}
