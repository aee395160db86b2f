import "server-only";
import { requireWithinOwn } from "@/lib/auth/own-permissions";
import { oneAtATime } from "@/lib/auth/role-changes";
import { actorName } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import { defineWrite } from "@/lib/db/verbs";
import { requireRoles } from "@/lib/members/internal";
import { inviteMemberInput, revokeInvitationInput } from "@/lib/members/schemas";
import { toInvitationView } from "@/lib/members/views";

/** How long an invitation waits for its first sign-in. */
export const INVITATION_MS = 14 * 24 * 60 * 60 * 1000;

/** Admits a person in advance by e-mail; they become a member when they first sign in with that address, verified. */
export const inviteMember = defineWrite({
  permission: "members:write",
  input: inviteMemberInput,
  status: 201,
  run: async (tx, ctx, { email, roles }) => {
    const { tenantId } = ctx;
    const given = await requireRoles(tx, tenantId, roles);
    await requireWithinOwn(
      ctx,
      given.flatMap((role) => role.permissions),
      `invite ${email}`,
    );
    await oneAtATime(tx, tenantId);
    const member = await tx.member.findFirst({ where: { tenantId, user: { email } }, select: { id: true } });
    if (member !== null) throw new AppError("conflict", `${email} is already a member of this tenant.`);
    const now = Date.now();
    const open = { tenantId, email, acceptedAt: null, revokedAt: null, expiresAt: { gt: new Date(now) } };
    const waiting = await tx.invitation.findFirst({ where: open, select: { id: true } });
    if (waiting !== null)
      throw new AppError("conflict", `${email} has an open invitation already. Revoke it to change its roles.`);
    const row = await tx.invitation.create({
      data: {
        tenantId,
        id: newId(),
        email,
        roleSlugs: given.map((role) => role.slug).sort(),
        invitedBy: actorName(ctx.actor),
        expiresAt: new Date(now + INVITATION_MS),
      },
    });
    const view = toInvitationView(row);
    return { result: view, audit: { action: "member.invited", target: email, after: view } };
  },
});

/** Takes an invitation back before it is accepted. */
export const revokeInvitation = defineWrite({
  permission: "members:write",
  input: revokeInvitationInput,
  status: 204,
  run: async (tx, { tenantId }, { id }) => {
    const row = await tx.invitation.findUnique({ where: { tenantId_id: { tenantId, id } } });
    if (row === null || row.revokedAt !== null) throw new AppError("not_found", "There is no such open invitation.");
    // Asked with the change: it may be accepted at this very moment.
    const open = { tenantId, id, acceptedAt: null };
    const { count } = await tx.invitation.updateMany({ where: open, data: { revokedAt: new Date() } });
    if (count === 0) throw new AppError("conflict", "This invitation was accepted. Suspend the member instead.");
    return { result: null, audit: { action: "invitation.revoked", target: row.email, before: toInvitationView(row) } };
  },
});
