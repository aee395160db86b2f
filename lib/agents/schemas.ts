import { z } from "zod";
import { slug } from "@/lib/core/wire";

/** POST /api/v1/agents; the owner is oneself unless told (needs members:read to name another). */
export const createAgentInput = z.object({
  slug,
  name: z.string().trim().min(1).max(80),
  description: z.string().trim().max(500).default(""),
  roles: z.array(slug).max(20).default([]),
  ownerMemberId: z.uuid().optional(),
});
export type CreateAgentInput = z.input<typeof createAgentInput>;

/** PATCH /api/v1/agents/{id}; giving roles needs access:write. */
export const changeAgentInput = z.object({
  id: z.uuid(),
  name: z.string().trim().min(1).max(80).optional(),
  description: z.string().trim().max(500).optional(),
  roles: z.array(slug).max(20).optional(),
  status: z.enum(["active", "suspended"]).optional(),
  reason: z.string().trim().max(500).optional(),
});

/** POST /api/v1/agents/{id}/keys */
export const mintAgentKeyInput = z.object({
  id: z.uuid(),
  name: z.string().trim().min(1).max(60).default("key"),
  expiresInDays: z.number().int().min(1).max(730).optional(),
});
/** DELETE /api/v1/agents/{id}/keys/{keyId} */
export const revokeAgentKeyInput = z.object({ id: z.uuid(), keyId: z.uuid() });

export type AgentKeyView = {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
};
export type MintedAgentKey = AgentKeyView & { readonly secret: string };
export type AgentView = {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly owner: { readonly memberId: string; readonly name: string; readonly email: string };
  readonly status: "active" | "suspended";
  readonly roles: readonly string[];
  readonly activeKeys: number;
  readonly createdAt: string;
  /** When the door last heard from it (any call, allowed or refused); null = never. */
  readonly lastCallAt: string | null;
};
export type AgentDetail = AgentView & {
  readonly keys: readonly AgentKeyView[];
  readonly tools: readonly {
    readonly server: string;
    readonly tool: string;
    readonly allowed: boolean;
    readonly permission: string;
  }[];
};

/** GET /api/v1/agents/{id}/first-call: what the Connect page waits for. */
export type FirstCallView = {
  readonly seen: boolean;
  readonly at: string | null;
  readonly tool: string | null;
  readonly outcome: string | null;
  readonly entry: string | null;
};
