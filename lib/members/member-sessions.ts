import "server-only";
import { z } from "zod";
import { endOpenSessions, readOpenSessions, toSessionView } from "@/lib/auth/open-sessions";
import { requireWithinOwn } from "@/lib/auth/own-permissions";
import { endMemberSessionsInput, type SessionView } from "@/lib/auth/schemas";
import { AppError } from "@/lib/core/errors";
import type { PlatformTx } from "@/lib/db/in-tenant";
import { warmKey } from "@/lib/db/tenant-keys";
import { definePlatformRead, definePlatformWrite } from "@/lib/db/verbs";
import { type MemberRow, memberSelect } from "@/lib/members/views";

/** A member's open sessions in which this tenant is the active one; of the others a tenant learns nothing. */
export const listMemberSessions = definePlatformRead({
  permission: "members:write",
  input: z.object({ id: z.uuid() }),
  run: async (tx, { tenantId }, { id }): Promise<readonly SessionView[]> => {
    const { userId } = await requireMember(tx, tenantId, id);
    return (await readOpenSessions(tx, { userId, tenantId })).map(toSessionView);
  },
});

/** Ends those, all at once. By the same rule as suspending: nobody shuts out somebody who holds more than they do. */
export const endMemberSessions = definePlatformWrite({
  permission: "members:write",
  input: endMemberSessionsInput,
  prepare: ({ tenantId }) => warmKey(tenantId, "payload"),
  run: async (tx, ctx, { id, reason }) => {
    const { tenantId } = ctx;
    const { userId, user, roles } = await requireMember(tx, tenantId, id);
    const held = roles.flatMap(({ role }) => role.permissions);
    await requireWithinOwn(ctx, held, `end sessions of ${user.email}`);
    return endOpenSessions(tx, ctx, { userId, tenantId }, { email: user.email, as: "revoked", reason });
  },
});

async function requireMember(tx: PlatformTx, tenantId: string, id: string): Promise<MemberRow> {
  const where = { tenantId_id: { tenantId, id } };
  const row = await tx.member.findUnique({ where, select: memberSelect(new Date()) });
  if (row === null) throw new AppError("not_found", "There is no such member in this tenant.");
  return row;
}
