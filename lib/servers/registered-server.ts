import type { CircuitPolicy, Override } from "@/lib/resilience/circuit";
import type { ProbedTool, ServerEndpoint } from "@/lib/servers/schemas";

/** What an agent is told about a tool. */
export type ToolDefinition = {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly annotations?: NonNullable<ProbedTool["annotations"]>;
};

export type RegisteredTool = {
  readonly definition: ToolDefinition;
  /** Digest of the definition as the server itself stated it when it was asked last. */
  readonly sha256: string;
  /**
   * Set while the server says something else than what was approved: the tool is not called. `pinned` tools are listed
   * with the approved definition; of `unseen` ones none ever was, so they are not listed either.
   */
  readonly held?: "pinned" | "unseen";
};

/** How the server's circuits behave, defaults and the tenant's own wishes together. */
export type CircuitRules = {
  readonly policy: CircuitPolicy;
  /** Tools with a circuit of their own. */
  readonly perTool: ReadonlySet<string>;
  readonly override: Override | null;
  /** Circuits of an older generation have been started anew by a person. */
  readonly generation: number;
};

export type PoolLimits = {
  readonly maxConcurrent: number;
  readonly maxQueued: number;
  readonly maxChildren: number;
};

/** A server as the road needs it. Lives in memory only, because the credential is open here. */
export type RegisteredServer = {
  readonly tenantId: string;
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly endpoint: ServerEndpoint;
  /** HTTP header or environment variable names to secret values. Never log, never send to a view. */
  readonly credential: Readonly<Record<string, string>> | undefined;
  readonly zones: readonly string[];
  readonly residency: string;
  readonly deadlineMs: number;
  readonly poolSize: number;
  /** What the server said it offers when it was asked last: `tools`, `resources`, `prompts`. */
  readonly capabilities?: readonly string[];
  /** Keys of what it offers beside tools that a profile leaves out. */
  readonly withheld?: ReadonlySet<string>;
  readonly circuit: CircuitRules;
  readonly pool: PoolLimits;
  readonly tools: ReadonlyMap<string, RegisteredTool>;
  /** Set while it does not answer: its tools are those it offered last. */
  readonly unavailableSince?: string;
  /** Changes when the way to reach the server does (endpoint, credential, pool size): its pool must be rebuilt then. */
  readonly version: string;
};

/** A tenant's enabled servers. */
export type ServersBySlug = ReadonlyMap<string, RegisteredServer>;
