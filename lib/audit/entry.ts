import type { OUTCOMES, PHASES } from "@/lib/audit/schemas";

export type Phase = (typeof PHASES)[number];
export type Outcome = (typeof OUTCOMES)[number];

/** Who acted, as it will stand in the trail. */
export type EntryActor = {
  readonly type: "user" | "agent" | "system" | "anonymous";
  readonly id: string;
  readonly name: string;
};

/**
 * What somebody wants recorded. The trail adds tenant sequence, time, gateway id and version, and the chain.
 * `payload` (arguments, result, before/after) is sealed with the tenant's key; the record holds its digest only.
 */
export type EntryDraft = {
  readonly tenantId: string;
  /** Given when the caller must know it before the write, e.g. to name it in an answer; minted otherwise. */
  readonly eventId?: string;
  /** Joins the intent and the outcome of one call. */
  readonly callId?: string;
  readonly phase: Phase;
  /** `noun.past_participle`: `tool_call.started`, `tool_call.finished`, `tool_call.denied`, `server.registered`, `session.opened`. */
  readonly eventType: string;
  readonly outcome: Outcome;
  readonly reasonCode?: string;
  readonly decision?: "allowed" | "denied";
  /** The rule that decided, e.g. `map:files/read_file=files:read`, `unmapped`. */
  readonly ruleId?: string;
  readonly actor: EntryActor;
  /** The member an agent acts for, or its owner. */
  readonly onBehalfOf?: string;
  /** `agent_key`, `api_token`, `session`, `oidc`. */
  readonly authMethod?: string;
  /** Id of the key or session that was presented; never the secret. */
  readonly credentialId?: string;
  readonly server?: string;
  readonly serverId?: string;
  readonly tool?: string;
  readonly toolDefinitionSha256?: string;
  /** What was acted on where it is not a tool: an id, slug or address. */
  readonly target?: string;
  /** The permission that was needed. */
  readonly permission?: string;
  readonly policyVersion?: number;
  readonly policySha256?: string;
  readonly latencyMs?: number;
  readonly upstreamMs?: number;
  /** How long the call waited for a place at the server. For figures; not in the record. */
  readonly queueMs?: number;
  /** How long it took to find out who calls and whether they may, and until the intent was durable. For figures, too. */
  readonly policyMs?: number;
  readonly auditMs?: number;
  readonly circuitState?: string;
  /** `hit` when the answer was an earlier one, given again without asking the server. */
  readonly cache?: "hit";
  /** How many times the server was asked again after a fault. */
  readonly retryNo?: number;
  readonly bytesIn?: number;
  readonly bytesOut?: number;
  readonly door?: string;
  readonly era?: string;
  readonly clientName?: string;
  readonly requestId: string;
  /** The trace that the act is part of, where its caller sent one or we make one. 32 hexadecimal digits. */
  readonly traceId?: string;
  /** Our span of a call in it; the caller's where we make none. 16 hexadecimal digits. */
  readonly spanId?: string;
  readonly ip?: string | null;
  readonly userAgent?: string | null;
  readonly reason?: string;
  /** How many refusals an aggregated entry stands for. */
  readonly count?: number;
  readonly payload?: unknown;
};

export type AppendedEntry = {
  readonly tenantId: string;
  readonly eventId: string;
  readonly seq: number;
  readonly hash: string;
};
