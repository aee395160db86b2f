import { ChainLinker, type Tip } from "@/lib/audit/chain";
import type { AppendedEntry } from "@/lib/audit/entry";
import type { PreparedEntry } from "@/lib/audit/prepare-entry";
import type { RecordText } from "@/lib/audit/record-text";
import type { WireWriter } from "@/lib/db/wire-writer";

/** Columns of the type `audit_traced_row`, in its order. The names are those of the table. */
export const ROW_COLUMNS = [
  "seq",
  "ts",
  "event_id",
  "gateway_id",
  "call_id",
  "phase",
  "event_type",
  "outcome",
  "reason_code",
  "decision",
  "rule_id",
  "actor_type",
  "actor_id",
  "actor_name",
  "server",
  "tool",
  "target",
  "latency_ms",
  "request_id",
  "search_text",
  "record",
  "record_sha256",
  "prev_hash",
  "hash",
  "payload",
  "payload_key_id",
  "trace_id",
] as const;

const OID = { int8: 20, timestamptz: 1184, uuid: 2950, text: 25, float8: 701, bytea: 17 } as const;
const NULL = -1;
const DIGEST_BYTES = 32;
const EPOCH_2000_MICROS = Date.UTC(2000, 0, 1) * 1_000;

export type LinkedRows = { readonly tip: Tip; readonly appended: readonly AppendedEntry[] };

/**
 * Links entries to the head they will follow and writes them as PostgreSQL's binary form of `audit_traced_row[]`. As text it
 * would be twice as long, and the server would take it apart once per column. `typeOid` is the type's number in this database.
 */
export function writeRows(
  out: WireWriter,
  typeOid: number,
  before: Tip,
  entries: readonly PreparedEntry[],
): LinkedRows {
  const linker = new ChainLinker(before);
  const appended: AppendedEntry[] = [];
  // One dimension, no nulls, counted from 1.
  for (const value of [1, 0, typeOid, entries.length, 1]) out.int32(value);
  for (const entry of entries) {
    const start = out.open();
    writeRow(out, entry, linker);
    out.close(start);
    appended.push({ tenantId: entry.tenantId, eventId: entry.eventId, seq: linker.seq, hash: linker.hash });
  }
  return { tip: linker.tip(), appended };
}

function writeRow(out: WireWriter, { columns, micros, text, payload }: PreparedEntry, linker: ChainLinker): void {
  out.int32(ROW_COLUMNS.length);
  head(out, OID.int8, 8);
  out.int64(linker.seq + 1);
  head(out, OID.timestamptz, 8);
  out.int64(micros - EPOCH_2000_MICROS);
  uuid(out, columns.eventId);
  uuid(out, columns.gatewayId);
  uuid(out, columns.callId);
  string(out, columns.phase);
  string(out, columns.eventType);
  string(out, columns.outcome);
  string(out, columns.reasonCode);
  string(out, columns.decision);
  string(out, columns.ruleId);
  string(out, columns.actorType);
  string(out, columns.actorId);
  string(out, columns.actorName);
  string(out, columns.server);
  string(out, columns.tool);
  string(out, columns.target);
  head(out, OID.float8, columns.latencyMs === null ? NULL : 8);
  if (columns.latencyMs !== null) out.float8(columns.latencyMs);
  string(out, columns.requestId);
  string(out, columns.searchText);
  linker.link(record(out, text, linker.seq + 1));
  bytes(out, linker.recordSha256);
  bytes(out, linker.prevHash);
  head(out, OID.bytea, DIGEST_BYTES);
  out.hex(linker.hash);
  bytes(out, payload);
  uuid(out, columns.payloadKeyId);
  string(out, columns.traceId);
}

function head(out: WireWriter, oid: number, length: number): void {
  out.int32(oid);
  out.int32(length);
}

function uuid(out: WireWriter, value: string | null): void {
  head(out, OID.uuid, value === null ? NULL : 16);
  if (value !== null) out.uuid(value);
}

function string(out: WireWriter, value: string | null): void {
  out.int32(OID.text);
  if (value === null) {
    out.int32(NULL);
    return;
  }
  const start = out.open();
  out.utf8(value);
  out.close(start);
}

function bytes(out: WireWriter, value: Uint8Array | null): void {
  head(out, OID.bytea, value === null ? NULL : value.length);
  if (value !== null) out.raw(value);
}

/** Writes the record with its number and returns its bytes where they stand. */
function record(out: WireWriter, { before, after, ascii }: RecordText, seq: number): Uint8Array {
  out.int32(OID.bytea);
  const start = out.open();
  const write = (part: string) => (ascii ? out.ascii(part) : out.utf8(part));
  write(before);
  write(String(seq));
  write(after);
  out.close(start);
  return out.buffer.subarray(start, out.at);
}
