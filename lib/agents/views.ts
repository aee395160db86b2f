import { type AgentRow, rolesInForce } from "@/lib/agents/internal";
import type { AgentDetail, AgentKeyView, AgentView } from "@/lib/agents/schemas";
import type { AgentKey } from "@/lib/generated/prisma/client";

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

/** A key as the wire shows it: what identifies it, nothing that opens anything. */
export const toKeyView = (key: Omit<AgentKey, "hash">): AgentKeyView => ({
  id: key.id,
  name: key.name,
  prefix: key.prefix,
  createdAt: key.createdAt.toISOString(),
  expiresAt: iso(key.expiresAt),
  revokedAt: iso(key.revokedAt),
  lastUsedAt: iso(key.lastUsedAt),
});

const isActive = (key: AgentKey, now: Date): boolean =>
  key.revokedAt === null && (key.expiresAt === null || key.expiresAt > now);

/** A row as the wire shows it. */
export function toAgentView(row: AgentRow, lastCallAt: Date | null, now = new Date()): AgentView {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    description: row.description,
    owner: { memberId: row.ownerMemberId, name: row.owner.user.name, email: row.owner.user.email },
    status: row.status as AgentView["status"],
    roles: rolesInForce(row, now).map((role) => role.slug),
    activeKeys: row.keys.filter((key) => isActive(key, now)).length,
    createdAt: row.createdAt.toISOString(),
    lastCallAt: iso(lastCallAt),
  };
}

/** The same with its keys and what it may call. */
export const toAgentDetail = (row: AgentRow, lastCallAt: Date | null, tools: AgentDetail["tools"]): AgentDetail => ({
  ...toAgentView(row, lastCallAt),
  keys: row.keys.map(toKeyView),
  tools,
});
