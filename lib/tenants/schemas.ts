import { z } from "zod";
import { slug } from "@/lib/core/wire";

export const ZONES = ["hipaa", "sox", "gdpr", "pci_dss"] as const;
export const zone = z.enum(ZONES);
export const RESIDENCIES = ["us", "eu", "uk", "ch", "ca", "au", "jp", "sg"] as const;
export const residency = z.enum(RESIDENCIES);

/** POST /api/v1/tenants (platform admins). The first admin is invited by e-mail. */
export const createTenantInput = z.object({
  slug,
  name: z.string().trim().min(1).max(80),
  zones: z.array(zone).max(4).default([]),
  residency,
  adminEmail: z.email().transform((text) => text.toLowerCase()),
});
export type CreateTenantInput = z.input<typeof createTenantInput>;

/** PATCH /api/v1/tenants/{id} */
export const changeTenantInput = z.object({
  id: z.uuid(),
  name: z.string().trim().min(1).max(80).optional(),
  zones: z.array(zone).max(4).optional(),
  residency: residency.optional(),
  status: z.enum(["active", "suspended"]).optional(),
  reason: z.string().trim().min(3).max(500),
});

export type Zone = (typeof ZONES)[number];

export type TenantView = {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly zones: readonly Zone[];
  readonly residency: string;
  readonly status: "active" | "suspended";
  readonly createdAt: string;
  readonly memberCount: number;
  readonly serverCount: number;
  readonly agentCount: number;
};

/** GET /api/v1/me: who is signed in, where, and what they may do in the active tenant. */
export type MeView = {
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly platformAdmin: boolean;
  readonly tenants: readonly {
    readonly id: string;
    readonly slug: string;
    readonly name: string;
    readonly zones: readonly Zone[];
    readonly residency: string;
  }[];
  readonly activeTenant: {
    readonly id: string;
    readonly slug: string;
    readonly name: string;
    readonly zones: readonly Zone[];
    readonly residency: string;
  } | null;
  readonly permissions: readonly string[];
  readonly roles: readonly string[];
  readonly session: { readonly expiresAt: string; readonly idleExpiresAt: string } | null;
  readonly demo: boolean;
};
