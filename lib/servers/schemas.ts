import { z } from "zod";
import { reason, slug } from "@/lib/core/wire";
import { residency, zone } from "@/lib/tenants/schemas";

const name = z.string().trim().min(1).max(80);
const secretName = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, "must be a header or variable name");

const httpUrl = z.url({ protocol: /^https?$/ }).max(2000);

/** Where a server is and how to speak to it. Secrets travel in `credential` and are never read back. */
export const serverEndpoint = z.discriminatedUnion("transport", [
  z.object({ transport: z.literal("http"), url: httpUrl }),
  /** The transport of revision 2024-11-05, a stream with POSTs beside it. */
  z.object({ transport: z.literal("sse"), url: httpUrl }),
  z.object({ transport: z.literal("websocket"), url: z.url({ protocol: /^wss?$/ }).max(2000) }),
  z.object({
    transport: z.literal("stdio"),
    command: z.string().min(1).max(500),
    args: z.array(z.string().max(2000)).max(64).default([]),
    env: z.record(secretName, z.string().max(4000)).default({}),
  }),
]);
export type ServerEndpoint = z.output<typeof serverEndpoint>;

/** Sealed: HTTP header names or environment variable names to secret values. */
export const credential = z.record(secretName, z.string().min(1).max(8000)).optional();

/** POST /api/v1/servers/parse: a URL, a command line, or mcpServers JSON, as pasted. */
export const parseServersInput = z.object({ text: z.string().min(1).max(20_000) });
/** What the paste meant; the form is filled with it. */
export type ParsedServer = {
  readonly slug: string;
  readonly name: string;
  readonly endpoint: ServerEndpoint;
  readonly credential?: Record<string, string>;
};

/** POST /api/v1/servers/probe: ask a server what it is, before or after it is registered. */
export const probeServerInput = z.object({ endpoint: serverEndpoint, credential });

export type ProbedTool = {
  readonly name: string;
  readonly title: string | null;
  readonly description: string;
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
  readonly annotations: {
    readonly readOnlyHint?: boolean;
    readonly destructiveHint?: boolean;
    readonly idempotentHint?: boolean;
    readonly openWorldHint?: boolean;
  } | null;
  readonly definitionSha256: string;
  /** A starting point for the map, from the annotations and the name; never in force until saved. */
  readonly suggestedPermission: string;
};
export type ServerProbe = {
  readonly ok: boolean;
  readonly era: "modern" | "legacy" | null;
  readonly protocolVersion: string | null;
  readonly serverName: string | null;
  readonly serverVersion: string | null;
  readonly instructions: string | null;
  readonly capabilities: readonly string[];
  readonly connectMs: number | null;
  readonly listMs: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly tools: readonly ProbedTool[];
  /** What a person should know before the server is used; absent where there is nothing. */
  readonly warnings?: readonly string[];
  /** Its list of tools has no end that we would wait for: what is missing in it need not be gone. */
  readonly isCut?: true;
};

const share = z.number().min(0).max(1);
const restMs = z.number().int().min(1_000).max(600_000);

/** What differs from the defaults for the tenant's zones; what is left out follows them. Rates are from 0 to 1. */
export const circuitPolicy = z.strictObject({
  failureThreshold: z.number().int().min(1).max(1_000).optional(),
  windowMs: z.number().int().min(1_000).max(600_000).optional(),
  minimumCalls: z.number().int().min(1).max(100_000).optional(),
  /** Opens below this share of successes. */
  successRate: share.optional(),
  slowMs: z.number().int().min(1).max(600_000).optional(),
  /** Opens from this share of slow calls. */
  slowRate: share.gt(0).optional(),
  recoveryMs: restMs.optional(),
  maxRecoveryMs: restMs.optional(),
  successThreshold: z.number().int().min(1).max(100).optional(),
  halfOpenMaxCalls: z.number().int().min(1).max(100).optional(),
  /** Tools with a circuit of their own; what they do leaves the server's alone. */
  perTool: z.array(z.string().min(1).max(128)).max(100).optional(),
});
export type CircuitPolicyInput = z.output<typeof circuitPolicy>;

/** How much one server may hold of this process at once. */
export const poolLimits = z.strictObject({
  /** Calls in flight. */
  maxConcurrent: z.number().int().min(1).max(4_096).optional(),
  /** Calls that may wait for a place; further ones are refused. */
  maxQueued: z.number().int().min(0).max(10_000).optional(),
  /** Programs of a stdio server side by side. More than one only for servers that keep no state. */
  maxChildren: z.number().int().min(1).max(32).optional(),
});
export type PoolLimitsInput = z.output<typeof poolLimits>;

const poolSize = z.number().int().min(1).max(256);
type Transport = ServerEndpoint["transport"];

/** What is kept open to a server unless told: connections, or its one program. */
export const usualPoolSize = (transport: Transport): number => (transport === "stdio" ? USUAL_PROGRAMS : 5);
/** Programs of a stdio server side by side, unless its `poolLimits.maxChildren` says more. */
export const USUAL_PROGRAMS = 1;

/** What is wrong with keeping more programs than may run side by side; null where nothing is. */
export const tooManyPrograms = (transport: Transport, kept: number, maxChildren = USUAL_PROGRAMS): string | null =>
  transport === "stdio" && kept > maxChildren
    ? `is more than the programs that may run side by side, ${maxChildren}; poolLimits.maxChildren of the registered server allows more`
    : null;

/** POST /api/v1/servers: probes, stores as `draft` with its tools. */
export const registerServerInput = z
  .object({
    slug,
    name,
    description: z.string().trim().max(500).default(""),
    endpoint: serverEndpoint,
    credential,
    zones: z.array(zone).max(4).default([]),
    residency: z.union([residency, z.literal("")]).default(""),
    deadlineMs: z.number().int().min(100).max(600_000).default(30_000),
    poolSize: poolSize.optional().describe("Connections kept open: 5 unless told. A stdio server has its one program."),
  })
  .superRefine(({ endpoint: { transport }, poolSize: kept = 1 }, context) => {
    const message = tooManyPrograms(transport, kept);
    if (message !== null) context.addIssue({ code: "custom", path: ["poolSize"], message });
  })
  .transform((input) => ({ ...input, poolSize: input.poolSize ?? usualPoolSize(input.endpoint.transport) }));
export type RegisterServerInput = z.input<typeof registerServerInput>;

/** PATCH /api/v1/servers/{id} */
export const changeServerInput = z.object({
  id: z.uuid(),
  name: name.optional(),
  description: z.string().trim().max(500).optional(),
  credential,
  zones: z.array(zone).max(4).optional(),
  residency: z.union([residency, z.literal("")]).optional(),
  deadlineMs: z.number().int().min(100).max(600_000).optional(),
  poolSize: poolSize.optional(),
  /** Replaces what was stored; null returns to the defaults. */
  circuitPolicy: circuitPolicy.nullable().optional(),
  poolLimits: poolLimits.nullable().optional(),
});
/** POST /api/v1/servers/{id}/enable, /disable, /refresh (probe again, update tools); DELETE /api/v1/servers/{id} retires. */
export const serverRef = z.object({ id: z.uuid(), reason: z.string().trim().max(500).optional() });

/** POST /api/v1/servers/{id}/circuit */
export const actOnCircuitInput = z.object({
  id: z.uuid(),
  /** `trip` refuses every call, `close` lets calls pass at once, `disable` takes the circuit away, `reset` forgets all it counted. */
  act: z.enum(["trip", "close", "disable", "reset"]),
  reason,
});
export type CircuitAct = z.output<typeof actOnCircuitInput>["act"];

/** POST /api/v1/servers/{id}/try: one real call as oneself, on the same road as an agent's (needs tools:call and the tool's permission). */
export const tryToolInput = z.object({
  id: z.uuid(),
  tool: z.string().min(1).max(128),
  arguments: z.record(z.string(), z.unknown()).default({}),
});
export type TriedCall = {
  readonly ok: boolean;
  readonly entry: string;
  readonly latencyMs: number;
  readonly content: unknown;
  readonly error: { readonly code: string; readonly message: string } | null;
};

export type CircuitKind = "closed" | "open" | "half-open" | "forced-open" | "disabled";

/** A circuit as this process sees it. */
export type CircuitView = {
  readonly kind: CircuitKind;
  readonly consecutiveFailures: number;
  readonly openUntil: string | null;
  readonly lastFailure: string | null;
  /** What opened it. */
  readonly cause: string | null;
  /** Calls within the window, and the share of them that succeeded. */
  readonly windowCalls: number;
  readonly successRate: number | null;
  /** Tools with a circuit of their own that is not closed. */
  readonly tools: readonly { readonly tool: string; readonly kind: CircuitKind; readonly openUntil: string | null }[];
};

/** The places and connections of this process to one server. */
export type PoolView = {
  readonly inUse: number;
  readonly queued: number;
  readonly maxConcurrent: number;
  readonly maxQueued: number;
  /** How often a call found no place free, and how often not even one to wait in. */
  readonly exhausted: number;
  readonly refused: number;
  /** Connections that are open now, that were ever opened, and calls that found one open. */
  readonly open: number;
  readonly created: number;
  readonly reused: number;
};

/** What of a tool is pinned when it is approved. */
export const DEFINITION_FIELDS = [
  "name",
  "title",
  "description",
  "inputSchema",
  "outputSchema",
  "annotations",
] as const;
export type DefinitionField = (typeof DEFINITION_FIELDS)[number];
export type DiffLine = { readonly kind: "same" | "added" | "removed"; readonly text: string };
export type FieldDiff = { readonly field: DefinitionField; readonly lines: readonly DiffLine[] };
export type DefinitionWarning = {
  readonly kind:
    | "too_long"
    | "hidden_text"
    | "directive"
    | "cross_reference"
    | "shadowed_name"
    | "new_parameter"
    | "lost_read_only"
    | "now_destructive";
  readonly text: string;
};

/** A definition that nobody approved yet: of a new tool, or of one whose server says something else than before. */
export type DefinitionReview = {
  /** new: came later, callable by admins only. held and rejected: not called by anybody. */
  readonly state: "new" | "held" | "rejected";
  readonly since: string;
  /** Names exactly what is reviewed; another change meanwhile makes it stale. */
  readonly sha256: string;
  /** True when an earlier definition is in force beside it. */
  readonly hasApproved: boolean;
  readonly diff: readonly FieldDiff[];
  readonly warnings: readonly DefinitionWarning[];
};

/** POST /api/v1/servers/{id}/definitions/accept and /reject. */
export const reviewDefinitionInput = z.object({
  id: z.uuid(),
  tool: z.string().min(1).max(128),
  /** What was looked at: `review.sha256`. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be the digest that was reviewed"),
  reason,
});

export type HealthView = {
  readonly status: "healthy" | "unavailable" | "unknown";
  readonly reasonCode: string | null;
  readonly reason: string | null;
  readonly since: string | null;
  readonly checkedAt: string | null;
};

/** Names on the joint door that some clients refuse are longer than this. */
export const MAX_JOINT_NAME = 64;
export const jointName = (server: string, tool: string): string => `${server}__${tool}`;

export type ServerView = {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly transport: ServerEndpoint["transport"];
  /** URL, or the exact command line, untruncated. */
  readonly address: string;
  readonly status: "draft" | "enabled" | "disabled";
  readonly zones: readonly string[];
  readonly residency: string;
  readonly deadlineMs: number;
  readonly poolSize: number;
  /** Names only. */
  readonly credentialNames: readonly string[];
  readonly toolCount: number;
  readonly mappedToolCount: number;
  /** Tools whose changed definition waits for a person, and tools that came later and nobody looked at. */
  readonly heldToolCount: number;
  readonly newToolCount: number;
  readonly health: HealthView;
  readonly probe: Omit<ServerProbe, "tools"> | null;
  readonly probedAt: string | null;
  readonly circuitPolicy: CircuitPolicyInput | null;
  readonly poolLimits: PoolLimitsInput | null;
  readonly circuit: CircuitView;
  /** Null until this process has reached the server. */
  readonly pool: PoolView | null;
  readonly createdAt: string;
};

/** GET /api/v1/servers/{id} */
export type ServerDetail = ServerView & {
  readonly tools: readonly ServerToolView[];
  /** Tools it offered once and offers no more. */
  readonly removedTools: readonly { readonly name: string; readonly removedAt: string }[];
};
export type ServerToolView = {
  readonly name: string;
  readonly title: string | null;
  readonly description: string;
  readonly inputSchema: unknown;
  readonly annotations: ProbedTool["annotations"];
  readonly definitionSha256: string;
  /** Names what the tool says now, as a person sees it; a change of the map that maps the tool gives it back. */
  readonly reviewSha256: string;
  readonly suggestedPermission: string;
  /** What the map says; null means unmapped, so `admin:*`. */
  readonly permission: string | null;
  /** Null where what the server says is what was approved. */
  readonly review: DefinitionReview | null;
};
