import type { EntryDraft } from "@/lib/audit/entry";

/**
 * The record of an entry: flat, snake_case, absent fields left out, serialised as RFC 8785 bytes.
 * These bytes are what the chain covers and what an export carries; all columns of the table are derived from them.
 * Never in here: arguments, results or changed values. They are sealed apart, and the record holds the digest of the sealed bytes.
 */
export const RECORD_VERSION = 1;

const MAX_TEXT = 256;
const MAX_LONG_TEXT = 1000;
const MAX_SEARCH_TEXT = 2000;

export type RecordFields = Readonly<Partial<Record<RecordField, string | number>>>;

/** In RFC 8785 order (UTF-16 code units); a test compares with the general canonicaliser. */
const FIELDS = [
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

/** A field and how its member begins. */
const members = FIELDS.map((name) => [name, `"${name}":`] as const);
const SEQ_AT = FIELDS.indexOf("seq");
const BEFORE_SEQ = members.slice(0, SEQ_AT);
const AFTER_SEQ = members.slice(SEQ_AT + 1);

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

/**
 * The record's text with a hole for the sequence number, which is known only under the lock of the chain's head.
 * `ascii`: every character is one byte in UTF-8.
 */
export type RecordText = { readonly before: string; readonly after: string; readonly ascii: boolean };

/** `RecordText` as the record is written; `plain` where no text in it holds anything that JSON or PostgreSQL want otherwise. */
export type WrittenText = RecordText & { readonly plain: boolean };

export function toRecordText(fields: RecordFields): WrittenText {
  const plain = plainText(fields);
  if (plain !== null) return plain;
  const before = joined("{", fields, BEFORE_SEQ);
  const after = joined(",", fields, AFTER_SEQ);
  return {
    before: `${before.text},"seq":`,
    after: `${after.text}}`,
    ascii: before.ascii && after.ascii,
    plain: false,
  };
}

const NOT_ASCII = /\P{ASCII}/u;
/** What JSON writes otherwise than it is. Most values hold none of it, and looking is cheaper than the general serialiser. */
const NOT_PLAIN = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;

/** What was put together, all texts in it without what stands between them, and whether a value was of the wrong kind. */
const built = { text: "", texts: "", odd: false };

function putText(start: string, value: string | number | undefined): void {
  if (value === undefined) return;
  if (typeof value !== "string") built.odd = true;
  built.text += `${start}${value}"`;
  built.texts += value;
}

/** For what we made or checked ourselves: ids, digests, words of our own. There is nothing to look for in it. */
function putOurs(start: string, value: string | number | undefined): void {
  if (value !== undefined) built.text += `${start}${value}"`;
}

function putNumber(start: string, value: string | number | undefined): void {
  if (value === undefined) return;
  if (typeof value !== "number") built.odd = true;
  built.text += start + value;
}

/**
 * The record of an entry whose texts need no escapes, as nearly all are: written in one go, looked at once. Null for any
 * other. Each field is named, because asking an object for one name after the other costs more than the writing.
 */
function plainText(fields: RecordFields): WrittenText | null {
  built.text = "{";
  built.texts = "";
  built.odd = fields.actor_id === undefined;
  putBeforeSeq(fields);
  const before = `${built.text},"seq":`;
  built.text = "";
  putAfterSeq(fields);
  const plain = { before, after: `${built.text}}`, ascii: true, plain: true };
  return built.odd || NOT_PLAIN.test(built.texts) ? null : plain;
}

function putBeforeSeq(fields: RecordFields): void {
  putText('"actor_id":"', fields.actor_id);
  putText(',"actor_name":"', fields.actor_name);
  putText(',"actor_type":"', fields.actor_type);
  putText(',"auth_method":"', fields.auth_method);
  putText(',"breaker_state":"', fields.breaker_state);
  putNumber(',"bytes_in":', fields.bytes_in);
  putNumber(',"bytes_out":', fields.bytes_out);
  putText(',"cache":"', fields.cache);
  putOurs(',"call_id":"', fields.call_id);
  putText(',"client_name":"', fields.client_name);
  putNumber(',"count":', fields.count);
  putText(',"credential_id":"', fields.credential_id);
  putOurs(',"decision":"', fields.decision);
  putText(',"door":"', fields.door);
  putText(',"era":"', fields.era);
  putOurs(',"event_id":"', fields.event_id);
  putText(',"event_type":"', fields.event_type);
  putOurs(',"gateway_id":"', fields.gateway_id);
  putOurs(',"gateway_version":"', fields.gateway_version);
  putNumber(',"latency_ms":', fields.latency_ms);
  putText(',"on_behalf_of":"', fields.on_behalf_of);
  putOurs(',"outcome":"', fields.outcome);
  putOurs(',"payload_key_id":"', fields.payload_key_id);
  putOurs(',"payload_sha256":"', fields.payload_sha256);
  putText(',"permission":"', fields.permission);
  putOurs(',"phase":"', fields.phase);
  putNumber(',"policy_version":', fields.policy_version);
  putText(',"policy_version_sha256":"', fields.policy_version_sha256);
  putText(',"reason":"', fields.reason);
  putText(',"reason_code":"', fields.reason_code);
  putText(',"request_id":"', fields.request_id);
  putNumber(',"retry_no":', fields.retry_no);
  putText(',"rule_id":"', fields.rule_id);
}

function putAfterSeq(fields: RecordFields): void {
  putText(',"server":"', fields.server);
  putText(',"server_id":"', fields.server_id);
  putText(',"span_id":"', fields.span_id);
  putText(',"src_ip":"', fields.src_ip);
  putText(',"target":"', fields.target);
  putOurs(',"tenant_id":"', fields.tenant_id);
  putText(',"tool":"', fields.tool);
  putText(',"tool_def_sha256":"', fields.tool_def_sha256);
  putText(',"trace_id":"', fields.trace_id);
  putOurs(',"ts":"', fields.ts);
  putNumber(',"upstream_ms":', fields.upstream_ms);
  putText(',"user_agent":"', fields.user_agent);
  putNumber(',"v":', fields.v);
}

function joined(opening: string, fields: RecordFields, names: typeof BEFORE_SEQ): { text: string; ascii: boolean } {
  let text = "";
  let ascii = true;
  let glue = opening;
  for (const [name, start] of names) {
    const value = fields[name];
    if (value === undefined) continue;
    if (typeof value === "number") text += `${glue}${start}${value}`;
    else if (!NOT_PLAIN.test(value)) text += `${glue}${start}"${value}"`;
    else {
      text += `${glue}${start}${JSON.stringify(value)}`;
      ascii &&= !NOT_ASCII.test(value);
    }
    glue = ",";
  }
  return { text, ascii };
}

export const recordBytes = (text: Pick<RecordText, "before" | "after">, seq: number): Buffer =>
  Buffer.from(`${text.before}${seq}${text.after}`, "utf8");

/** What the table holds besides the record, for search only; derived from the record alone, so that verification can recompute it. */
export type SearchColumns = {
  readonly ts: string;
  readonly eventId: string;
  readonly gatewayId: string;
  readonly callId: string | null;
  readonly phase: string;
  readonly eventType: string;
  readonly outcome: string;
  readonly reasonCode: string | null;
  readonly decision: string | null;
  readonly ruleId: string | null;
  readonly actorType: string;
  readonly actorId: string;
  readonly actorName: string;
  readonly server: string | null;
  readonly tool: string | null;
  readonly target: string | null;
  readonly latencyMs: number | null;
  readonly requestId: string;
  readonly traceId: string | null;
  readonly searchText: string;
  readonly payloadKeyId: string | null;
};

// PostgreSQL text cannot hold U+0000; the record keeps it.
const withoutNul = (value: string): string => (value.includes("\u0000") ? value.replaceAll("\u0000", "\ufffd") : value);

const column = (value: string | number | undefined, plain: boolean): string | null => {
  if (value === undefined) return null;
  const text = typeof value === "string" ? value : String(value);
  return plain ? text : withoutNul(text);
};

function searchText(fields: RecordFields, plain: boolean): string {
  let words = "";
  if (fields.server !== undefined && fields.tool !== undefined) words = `${fields.server}__${fields.tool}`;
  for (const value of searched(fields)) if (value !== undefined) words += words === "" ? value : ` ${value}`;
  const kept = words.length > MAX_SEARCH_TEXT ? words.slice(0, MAX_SEARCH_TEXT) : words;
  return plain ? kept.toLowerCase() : withoutNul(kept.toWellFormed().toLowerCase());
}

const searched = (fields: RecordFields): readonly (string | number | undefined)[] => [
  fields.event_type,
  fields.outcome,
  fields.decision,
  fields.actor_name,
  fields.server,
  fields.tool,
  fields.target,
  fields.reason_code,
  fields.reason,
  fields.rule_id,
  fields.permission,
  fields.src_ip,
  fields.request_id,
  fields.event_id,
  fields.call_id,
];

/** `plain`: what `toRecordText` said of these fields; nothing in them has to be replaced then. */
export function toSearchColumns(fields: RecordFields, plain = false): SearchColumns {
  return {
    ts: column(fields.ts, plain) ?? "",
    eventId: column(fields.event_id, plain) ?? "",
    gatewayId: column(fields.gateway_id, plain) ?? "",
    callId: column(fields.call_id, plain),
    phase: column(fields.phase, plain) ?? "",
    eventType: column(fields.event_type, plain) ?? "",
    outcome: column(fields.outcome, plain) ?? "",
    reasonCode: column(fields.reason_code, plain),
    decision: column(fields.decision, plain),
    ruleId: column(fields.rule_id, plain),
    actorType: column(fields.actor_type, plain) ?? "",
    actorId: column(fields.actor_id, plain) ?? "",
    actorName: column(fields.actor_name, plain) ?? "",
    server: column(fields.server, plain),
    tool: column(fields.tool, plain),
    target: column(fields.target, plain),
    latencyMs: typeof fields.latency_ms === "number" ? fields.latency_ms : null,
    requestId: column(fields.request_id, plain) ?? "",
    traceId: column(fields.trace_id, plain),
    searchText: searchText(fields, plain),
    payloadKeyId: column(fields.payload_key_id, plain),
  };
}
