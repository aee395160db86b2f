import { z } from "zod";
import { permission, slug } from "@/lib/core/wire";

/** POST /api/v1/invitations */
export const inviteMemberInput = z.object({
  email: z.email().transform((text) => text.toLowerCase()),
  roles: z.array(slug).min(1, "name at least one role").max(20),
});
/** DELETE /api/v1/invitations/{id} */
export const revokeInvitationInput = z.object({ id: z.uuid() });

/** PATCH /api/v1/members/{id}. `suspendAgents` suspends the active agents that the member owns, too. */
export const changeMemberInput = z
  .object({
    id: z.uuid(),
    roles: z.array(slug).max(20).optional(),
    status: z.enum(["active", "suspended"]).optional(),
    suspendAgents: z.boolean().default(false),
    reason: z.string().trim().max(500).optional(),
  })
  .refine(({ status, suspendAgents }) => !suspendAgents || status === "suspended", {
    path: ["suspendAgents"],
    error: "goes with the status suspended only",
  });

/** POST /api/v1/roles */
export const createRoleInput = z.object({
  slug,
  name: z.string().trim().min(1).max(60),
  description: z.string().trim().max(300).default(""),
  permissions: z.array(permission).max(500),
});
/** PATCH /api/v1/roles/{slug}; built-in roles refuse. */
export const changeRoleInput = z.object({
  slug,
  name: z.string().trim().min(1).max(60).optional(),
  description: z.string().trim().max(300).optional(),
  permissions: z.array(permission).max(500).optional(),
});
/** DELETE /api/v1/roles/{slug}; refused while somebody holds it. */
export const deleteRoleInput = z.object({ slug });

/** POST /api/v1/api-tokens: for oneself; scopes are a subset of what one holds. */
export const mintApiTokenInput = z.object({
  name: z.string().trim().min(1).max(60),
  scopes: z.array(permission).min(1).max(100),
  expiresInDays: z.number().int().min(1).max(365).default(90),
});
export const revokeApiTokenInput = z.object({ id: z.uuid() });

export type MemberView = {
  readonly id: string;
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly status: "active" | "suspended";
  readonly roles: readonly string[];
  readonly createdAt: string;
  readonly lastSignInAt: string | null;
};
/** Answer of a change: the agents that were suspended with the member, by slug. */
export type ChangedMember = MemberView & { readonly suspendedAgents: readonly string[] };
export type InvitationView = {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly invitedBy: string;
  readonly createdAt: string;
  readonly expiresAt: string;
};
export type RoleView = {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly string[];
  readonly builtIn: boolean;
  readonly memberCount: number;
  readonly agentCount: number;
};
export type ApiTokenView = {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
};
/** Answer of minting: the only time the secret is shown. */
export type MintedApiToken = ApiTokenView & { readonly secret: string };

/** The roles every tenant has from the start. */
export const BUILT_IN_ROLES = [
  { slug: "tenant-admin", name: "Tenant admin", description: "Everything in this tenant.", permissions: ["admin:*"] },
  {
    slug: "compliance-officer",
    name: "Compliance officer",
    description: "Reads and exports the trail, payloads included. Changes nothing.",
    permissions: [
      "audit:read",
      "audit:payload",
      "audit:export",
      "metrics:read",
      "alerts:read",
      "servers:read",
      "access:read",
      "agents:read",
      "members:read",
      "tenant:read",
    ],
  },
  {
    slug: "developer",
    name: "Developer",
    description: "Connects agents and sees why calls were refused.",
    permissions: [
      "agents:read",
      "agents:write",
      "servers:read",
      "access:read",
      "metrics:read",
      "alerts:read",
      "tenant:read",
      "audit:read",
      "tools:call",
    ],
  },
  {
    slug: "viewer",
    name: "Viewer",
    description: "Sees servers, agents and figures. No trail, no payloads.",
    permissions: ["servers:read", "agents:read", "access:read", "metrics:read", "alerts:read", "tenant:read"],
  },
] as const;
