import { checkLink, linkHash, sameBytes, sha256, type Tip } from "@/lib/audit/chain";
import { toSearchColumns } from "@/lib/audit/search-columns";
import { parseRecord, TS_TEXT } from "@/lib/audit/views";

/** All of a stored entry but the sealed bytes, whose digest the database computes. Digests come as hex. */
export const STORED_COLUMNS = `e.seq::text as seq, ${TS_TEXT} as ts, e.event_id, e.gateway_id, e.call_id, e.phase,
  e.event_type, e.outcome, e.reason_code, e.decision, e.rule_id, e.actor_type, e.actor_id, e.actor_name, e.server,
  e.tool, e.target, e.latency_ms, e.request_id, e.search_text, e.payload_key_id, e.trace_id, e.record,
  encode(e.record_sha256, 'hex') as record_sha256, encode(e.prev_hash, 'hex') as prev_hash,
  encode(e.hash, 'hex') as hash, encode(sha256(e.payload), 'hex') as payload_sha256`;

export type StoredEntry = {
  readonly seq: string;
  readonly ts: string;
  readonly event_id: string;
  readonly gateway_id: string;
  readonly call_id: string | null;
  readonly phase: string;
  readonly event_type: string;
  readonly outcome: string;
  readonly reason_code: string | null;
  readonly decision: string | null;
  readonly rule_id: string | null;
  readonly actor_type: string;
  readonly actor_id: string;
  readonly actor_name: string;
  readonly server: string | null;
  readonly tool: string | null;
  readonly target: string | null;
  readonly latency_ms: number | null;
  readonly request_id: string;
  readonly search_text: string;
  readonly payload_key_id: string | null;
  readonly trace_id: string | null;
  readonly record: Uint8Array;
  readonly record_sha256: string;
  readonly prev_hash: string;
  readonly hash: string;
  readonly payload_sha256: string | null;
};

export type StoredBreak = { readonly seq: number; readonly problem: string };

const fromHex = (hex: string): Buffer => Buffer.from(hex, "hex");

/** What is wrong with a stored entry as the successor of `tip`: its place, its record, its columns, its payload. */
export function checkStored(tip: Tip, stored: StoredEntry): StoredBreak | null {
  const broken = checkLink(tip, {
    seq: Number(stored.seq),
    record: stored.record,
    recordSha256: fromHex(stored.record_sha256),
    prevHash: fromHex(stored.prev_hash),
    hash: fromHex(stored.hash),
  });
  if (broken !== null) return broken;
  const differs = differingPart(stored);
  return differs === null
    ? null
    : { seq: Number(stored.seq), problem: `its ${differs} was changed after it was written` };
}

/** True when the stored bytes of one entry agree with each other. */
export function isIntact(stored: StoredEntry): boolean {
  const digest = sha256(stored.record);
  return (
    sameBytes(digest, fromHex(stored.record_sha256)) &&
    sameBytes(linkHash(fromHex(stored.prev_hash), digest), fromHex(stored.hash)) &&
    differingPart(stored) === null
  );
}

/** The column beside the record that no longer says what the record says. */
function differingPart(stored: StoredEntry): string | null {
  const record = parseRecord(stored.record);
  if (record === null) return "record";
  if (String(record.seq) !== stored.seq) return "sequence number";
  if ((record.payload_sha256 ?? null) !== stored.payload_sha256) return "sealed payload";
  const columns = toSearchColumns(record);
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ["time", columns.ts, stored.ts],
    ["event id", columns.eventId, stored.event_id],
    ["gateway id", columns.gatewayId, stored.gateway_id],
    ["call id", columns.callId, stored.call_id],
    ["phase", columns.phase, stored.phase],
    ["event type", columns.eventType, stored.event_type],
    ["outcome", columns.outcome, stored.outcome],
    ["reason code", columns.reasonCode, stored.reason_code],
    ["decision", columns.decision, stored.decision],
    ["rule", columns.ruleId, stored.rule_id],
    ["actor type", columns.actorType, stored.actor_type],
    ["actor id", columns.actorId, stored.actor_id],
    ["actor name", columns.actorName, stored.actor_name],
    ["server", columns.server, stored.server],
    ["tool", columns.tool, stored.tool],
    ["target", columns.target, stored.target],
    ["latency", columns.latencyMs, stored.latency_ms],
    ["request id", columns.requestId, stored.request_id],
    ["search text", columns.searchText, stored.search_text],
    ["payload key", columns.payloadKeyId, stored.payload_key_id],
    ["trace", columns.traceId, stored.trace_id],
  ];
  return pairs.find(([, said, held]) => said !== held)?.[0] ?? null;
}
