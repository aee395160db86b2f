import { z } from "zod";
import { permission, reason, slug } from "@/lib/core/wire";

/** GET /api/v1/access/map[?version=n]; the version in force unless told. */
export const getPermissionMapInput = z.object({ version: z.coerce.number().int().min(0).optional() });
export type PermissionMapView = {
  readonly version: number;
  readonly sha256: string;
  readonly changedBy: string;
  readonly reason: string;
  readonly createdAt: string;
  /** Every tool of every registered server; permission null = unmapped. */
  readonly tools: readonly {
    readonly server: string;
    readonly tool: string;
    readonly description: string;
    readonly permission: string | null;
    readonly readOnly: boolean;
    readonly destructive: boolean;
    readonly suggestedPermission: string;
    /** Names what the tool says now; null where there is no definition. A change that maps the tool gives it back. */
    readonly reviewSha256: string | null;
  }[];
};

const mapChange = z.object({
  server: slug,
  tool: z.string().min(1).max(128),
  permission: permission.nullable(),
  reviewSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "must be the digest that came with the tool")
    .optional()
    .describe(
      "What was looked at: `reviewSha256` of the tool. Needed to map a tool that nobody approved yet; where it is given and the tool says something else by now, the answer is definition_changed.",
    ),
});

/**
 * PUT /api/v1/access/map: a set of changes on top of `baseVersion`; becomes version n+1, or stale_version, or
 * definition_changed. `null` unmaps.
 */
export const changePermissionMapInput = z.object({
  baseVersion: z.number().int().min(0),
  changes: z.array(mapChange).min(1).max(5000),
  reason,
});
export type ChangePermissionMapInput = z.input<typeof changePermissionMapInput>;

/**
 * POST /api/v1/access/map/revert: what an older version said becomes version n+1, or stale_version. It approves nothing: a
 * tool that it maps and that nobody approved is held for review.
 */
export const revertPermissionMapInput = z.object({
  version: z.number().int().min(0),
  baseVersion: z.number().int().min(0),
  reason,
});

/** GET /api/v1/access/map/versions: newest first, an array. */
export type PermissionMapVersionView = {
  readonly version: number;
  readonly sha256: string;
  readonly changedBy: string;
  readonly reason: string;
  readonly createdAt: string;
  readonly toolCount: number;
};

/** GET /api/v1/access/matrix: roles × tools. A cell is what decide() says of one who holds only that role. */
export type AccessMatrix = {
  readonly version: number;
  readonly roles: readonly {
    readonly slug: string;
    readonly name: string;
    readonly builtIn: boolean;
    readonly permissions: readonly string[];
  }[];
  readonly servers: readonly {
    readonly slug: string;
    readonly name: string;
    readonly tools: readonly {
      readonly name: string;
      readonly permission: string | null;
      readonly readOnly: boolean;
      readonly destructive: boolean;
    }[];
  }[];
};

/** PUT /api/v1/access/grants: give or take permissions of custom roles (the matrix' cells). Answers AccessMatrix. */
export const changeRoleGrantsInput = z.object({
  changes: z
    .array(z.object({ role: slug, permission, granted: z.boolean() }))
    .min(1)
    .max(1000),
  reason,
});

/** POST /api/v1/policy/explain: the same decide() that the road uses, with its trace. */
export const explainInput = z.object({
  agent: slug.optional(),
  /** Explain for one who holds these roles instead of an agent. */
  roles: z.array(slug).max(20).optional(),
  server: slug,
  tool: z.string().min(1).max(128),
});

export type TraceStep = {
  readonly step: "agent" | "tenant" | "server" | "tool" | "mapping" | "roles" | "permission";
  readonly ok: boolean;
  readonly text: string;
  readonly link?: string;
};
export type DecisionTrace = {
  readonly allow: boolean;
  readonly needed: string;
  readonly rule: string;
  readonly missing: string | null;
  readonly via: readonly { readonly role: string; readonly permission: string }[];
  readonly mapVersion: number;
  readonly steps: readonly TraceStep[];
};
