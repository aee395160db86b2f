import "server-only";
import type { EntryActor } from "@/lib/audit/entry";
import { oneAtATime } from "@/lib/auth/role-changes";
import { recordSessionEvent, type SeenFrom } from "@/lib/auth/session-events";
import { newId } from "@/lib/core/ids";
import type { PlatformTx } from "@/lib/db/in-tenant";

type Invited = { readonly userId: string; readonly email: string; readonly actor: EntryActor };

/** Turns every open invitation to a proven address into a membership with its roles; each is an entry of its tenant. */
export async function acceptInvitations(tx: PlatformTx, who: Invited, seen: SeenFrom, now: number): Promise<void> {
  const open = await tx.invitation.findMany({
    where: { email: who.email, acceptedAt: null, revokedAt: null, expiresAt: { gt: new Date(now) } },
    // Always in the same order, so that two sign-ins cannot wait for each other's chains.
    orderBy: [{ tenantId: "asc" }, { createdAt: "asc" }],
    select: { tenantId: true, id: true, roleSlugs: true },
  });
  for (const invitation of open) {
    if (!(await takeInvitation(tx, invitation, now))) continue;
    await oneAtATime(tx, invitation.tenantId);
    const roles = await becomeMember(tx, who.userId, invitation);
    const payload = { invitation: invitation.id, roles };
    const event = { eventType: "invitation.accepted", actor: who.actor, target: who.email, payload };
    await recordSessionEvent(tx, invitation.tenantId, event, seen);
  }
}

type OpenInvitation = { readonly tenantId: string; readonly id: string; readonly roleSlugs: readonly string[] };

/** False where it was taken back since it was read: whoever revoked it was told that nobody gets in by it. */
async function takeInvitation(tx: PlatformTx, { tenantId, id }: OpenInvitation, now: number): Promise<boolean> {
  const open = { tenantId, id, acceptedAt: null, revokedAt: null };
  const { count } = await tx.invitation.updateMany({ where: open, data: { acceptedAt: new Date(now) } });
  return count === 1;
}

async function becomeMember(tx: PlatformTx, userId: string, from: OpenInvitation): Promise<string[]> {
  const { tenantId, roleSlugs } = from;
  const already = await tx.member.findUnique({
    where: { tenantId_userId: { tenantId, userId } },
    select: { id: true },
  });
  const memberId = already?.id ?? newId();
  if (already === null) await tx.member.create({ data: { tenantId, id: memberId, userId }, select: { id: true } });
  // A role deleted since the invitation is left out: an invitation gives nothing that no longer exists.
  const roles = await tx.role.findMany({
    where: { tenantId, slug: { in: [...roleSlugs] } },
    select: { id: true, slug: true },
  });
  const data = roles.map((role) => ({ tenantId, memberId, roleId: role.id }));
  await tx.memberRole.createMany({ data, skipDuplicates: true });
  return roles.map((role) => role.slug);
}
