import "server-only";
import { defineRead } from "@/lib/db/verbs";
import { pageOf } from "@/lib/members/internal";
import { after, listInput } from "@/lib/members/list-input";
import {
  apiTokenSelect,
  memberSelect,
  roleSelect,
  toApiTokenView,
  toInvitationView,
  toMemberView,
  toRoleView,
} from "@/lib/members/views";

const oldestFirst = { orderBy: { id: "asc" } } as const;

/** Everybody in the tenant, suspended ones included. */
export const listMembers = defineRead({
  permission: "members:read",
  input: listInput,
  run: async (tx, { tenantId }, { limit, cursor }) => {
    const where = { tenantId, ...after(cursor) };
    const rows = await tx.member.findMany({ where, ...oldestFirst, take: limit + 1, select: memberSelect(new Date()) });
    return pageOf(rows, limit, toMemberView);
  },
});

/** Invitations that can still be accepted. */
export const listInvitations = defineRead({
  permission: "members:read",
  input: listInput,
  run: async (tx, { tenantId }, { limit, cursor }) => {
    const open = { acceptedAt: null, revokedAt: null, expiresAt: { gt: new Date() } };
    const rows = await tx.invitation.findMany({
      where: { tenantId, ...open, ...after(cursor) },
      ...oldestFirst,
      take: limit + 1,
    });
    return pageOf(rows, limit, toInvitationView);
  },
});

/** Built-in and custom roles with what they hold and how many hold them. */
export const listRoles = defineRead({
  permission: "access:read",
  input: listInput,
  run: async (tx, { tenantId }, { limit, cursor }) => {
    const where = { tenantId, ...after(cursor) };
    const rows = await tx.role.findMany({ where, ...oldestFirst, take: limit + 1, select: roleSelect });
    return pageOf(rows, limit, toRoleView);
  },
});

/** One's own API tokens in this tenant, revoked ones included; a token is told of itself alone. */
export const listApiTokens = defineRead({
  permission: "self",
  input: listInput,
  run: async (tx, { tenantId, actor }, { limit, cursor }) => {
    const memberId = actor.kind === "user" ? actor.memberId : null;
    if (memberId === null) return { items: [], nextCursor: null };
    const own = actor.kind === "user" && actor.authMethod === "api_token" ? { id: actor.credentialId ?? "" } : {};
    const where = { tenantId, memberId, AND: [own, after(cursor)] };
    const rows = await tx.apiToken.findMany({ where, ...oldestFirst, take: limit + 1, select: apiTokenSelect });
    return pageOf(rows, limit, toApiTokenView);
  },
});
