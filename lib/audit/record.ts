import type { EntryDraft } from "@/lib/audit/entry";

/**
 * The record of an entry: flat, snake_case, absent fields left out, serialised as RFC 8785 bytes.
 * These bytes are what the chain covers and what an export carries; all columns of the table are derived from them.
 * Never in here: arguments, results or changed values. They are sealed apart, and the record holds the digest of the sealed bytes.
 */
export const RECORD_VERSION = 1;

const MAX_TEXT = 256;
const MAX_LONG_TEXT = 1000;

export type RecordFields = Readonly<Partial<Record<RecordField, string | number>>>;

/** In RFC 8785 order (UTF-16 code units); a test compares with the general canonicaliser. */
export const FIELDS = [
  "actor_id",
  "actor_name",
  "actor_type",
  "auth_method",
  "breaker_state",
  "bytes_in",
  "bytes_out",
  "cache",
  "call_id",
  "client_name",
  "count",
  "credential_id",
  "decision",
  "door",
  "era",
  "event_id",
  "event_type",
  "gateway_id",
  "gateway_version",
  "latency_ms",
  "on_behalf_of",
  "outcome",
  "payload_key_id",
  "payload_sha256",
  "permission",
  "phase",
  "policy_version",
  "policy_version_sha256",
  "reason",
  "reason_code",
  "request_id",
  "retry_no",
  "rule_id",
  "seq",
  "server",
  "server_id",
  "span_id",
  "src_ip",
  "target",
  "tenant_id",
  "tool",
  "tool_def_sha256",
  "trace_id",
  "ts",
  "upstream_ms",
  "user_agent",
  "v",
] as const;
export type RecordField = (typeof FIELDS)[number];

/** What the gateway adds to a draft. */
export type Stamp = {
  readonly eventId: string;
  readonly ts: string;
  readonly gatewayId: string;
  readonly gatewayVersion: string;
  readonly payloadSha256?: string | undefined;
  readonly payloadKeyId?: string | undefined;
};

function text(value: string | null | undefined, max = MAX_TEXT): string | undefined {
  if (value === null || value === undefined) return undefined;
  // A lone surrogate has no UTF-8 form, so no RFC 8785 bytes either.
  return (value.length > max ? `${value.slice(0, max - 1)}…` : value).toWellFormed();
}

function figure(value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  const rounded = Math.round(value * 1000) / 1000;
  return Number.isFinite(rounded) ? rounded : undefined;
}

/** Draft and stamp as record fields, everything but the sequence number. */
export function toRecordFields(draft: EntryDraft, stamp: Stamp): RecordFields {
  return defined({
    v: RECORD_VERSION,
    tenant_id: draft.tenantId,
    event_id: stamp.eventId,
    ts: stamp.ts,
    gateway_id: stamp.gatewayId,
    gateway_version: stamp.gatewayVersion,
    payload_sha256: stamp.payloadSha256,
    payload_key_id: stamp.payloadKeyId,
    call_id: draft.callId,
    phase: draft.phase,
    event_type: text(draft.eventType),
    outcome: draft.outcome,
    reason_code: text(draft.reasonCode),
    decision: draft.decision,
    rule_id: text(draft.ruleId),
    actor_type: draft.actor.type,
    actor_id: text(draft.actor.id),
    actor_name: text(draft.actor.name),
    on_behalf_of: text(draft.onBehalfOf),
    auth_method: text(draft.authMethod),
    credential_id: text(draft.credentialId),
    server: text(draft.server),
    server_id: text(draft.serverId),
    tool: text(draft.tool),
    tool_def_sha256: text(draft.toolDefinitionSha256),
    target: text(draft.target, MAX_LONG_TEXT),
    permission: text(draft.permission),
    policy_version: figure(draft.policyVersion),
    policy_version_sha256: text(draft.policySha256),
    latency_ms: figure(draft.latencyMs),
    upstream_ms: figure(draft.upstreamMs),
    breaker_state: text(draft.circuitState),
    cache: text(draft.cache),
    retry_no: figure(draft.retryNo),
    bytes_in: figure(draft.bytesIn),
    bytes_out: figure(draft.bytesOut),
    door: text(draft.door),
    era: text(draft.era),
    client_name: text(draft.clientName),
    request_id: text(draft.requestId),
    trace_id: draft.traceId,
    span_id: draft.spanId,
    src_ip: text(draft.ip),
    user_agent: text(draft.userAgent, MAX_LONG_TEXT),
    reason: text(draft.reason, MAX_LONG_TEXT),
    count: figure(draft.count),
  });
}

function defined(fields: { readonly [K in RecordField]?: string | number | undefined }): RecordFields {
  return fields as RecordFields;
}
