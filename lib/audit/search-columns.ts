import type { RecordFields } from "@/lib/audit/record";

const MAX_SEARCH_TEXT = 2000;

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
