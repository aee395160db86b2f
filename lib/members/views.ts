import type { Prisma } from "@/lib/generated/prisma/client";
import type { ApiTokenView, InvitationView, MemberView, RoleView } from "@/lib/members/schemas";

const iso = (at: Date): string => at.toISOString();
const isoOrNull = (at: Date | null): string | null => at?.toISOString() ?? null;
const statusOf = (text: string): "active" | "suspended" => (text === "active" ? "active" : "suspended");

export const memberSelect = (now: Date) =>
  ({
    id: true,
    userId: true,
    status: true,
    createdAt: true,
    user: { select: { email: true, name: true, lastSignInAt: true } },
    roles: {
      where: { OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] },
      select: { role: { select: { slug: true, permissions: true } } },
    },
  }) satisfies Prisma.MemberSelect;

export type MemberRow = {
  readonly id: string;
  readonly userId: string;
  readonly status: string;
  readonly createdAt: Date;
  readonly user: { readonly email: string; readonly name: string; readonly lastSignInAt: Date | null };
  readonly roles: readonly { readonly role: { readonly slug: string; readonly permissions: readonly string[] } }[];
};

export const toMemberView = (row: MemberRow): MemberView => ({
  id: row.id,
  userId: row.userId,
  email: row.user.email,
  name: row.user.name,
  status: statusOf(row.status),
  roles: row.roles.map(({ role }) => role.slug).sort(),
  createdAt: iso(row.createdAt),
  lastSignInAt: isoOrNull(row.user.lastSignInAt),
});

type InvitationRow = {
  id: string;
  email: string;
  roleSlugs: string[];
  invitedBy: string;
  createdAt: Date;
  expiresAt: Date;
};

export const toInvitationView = (row: InvitationRow): InvitationView => ({
  id: row.id,
  email: row.email,
  roles: row.roleSlugs,
  invitedBy: row.invitedBy,
  createdAt: iso(row.createdAt),
  expiresAt: iso(row.expiresAt),
});

export const roleSelect = {
  id: true,
  slug: true,
  name: true,
  description: true,
  permissions: true,
  builtIn: true,
  _count: { select: { members: true, agents: true } },
} as const;

type RoleRow = {
  id: string;
  slug: string;
  name: string;
  description: string;
  permissions: string[];
  builtIn: boolean;
  _count: { members: number; agents: number };
};

export const toRoleView = ({ _count, ...row }: RoleRow): RoleView => ({
  ...row,
  memberCount: _count.members,
  agentCount: _count.agents,
});

export const apiTokenSelect = {
  id: true,
  name: true,
  prefix: true,
  scopes: true,
  createdAt: true,
  expiresAt: true,
  lastUsedAt: true,
  revokedAt: true,
} as const;

type ApiTokenRow = {
  id: string;
  name: string;
  prefix: string;
  scopes: string[];
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
};

export const toApiTokenView = ({ id, name, prefix, scopes, ...times }: ApiTokenRow): ApiTokenView => ({
  id,
  name,
  prefix,
  scopes,
  createdAt: iso(times.createdAt),
  expiresAt: isoOrNull(times.expiresAt),
  lastUsedAt: isoOrNull(times.lastUsedAt),
  revokedAt: isoOrNull(times.revokedAt),
});
