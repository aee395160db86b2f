import type { RecordFields } from "@/lib/audit/record";
import type { EntryView } from "@/lib/audit/schemas";
import { toSentence } from "@/lib/audit/sentence";

/** One row as the reads select it; the record says everything else. */
export type EntryRow = {
  readonly seq: bigint | string | number;
  readonly event_id: string;
  readonly ts: string;
  readonly record: Uint8Array;
};

/** `ts` as ISO text with microseconds, as it stands in records. */
export const TS_TEXT = `to_char(e.ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
export const ENTRY_COLUMNS = `e.seq, e.event_id, ${TS_TEXT} as ts, e.record`;

/** The fields of a stored record; null when the bytes are no longer a record, which only tampering explains. */
export function parseRecord(record: Uint8Array): RecordFields | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(record).toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as RecordFields) : null;
  } catch {
    return null;
  }
}

/** What people see is read from the record, which the chain covers, never from the columns beside it. */
export function toEntryView(row: EntryRow): EntryView {
  const record = parseRecord(row.record);
  if (record === null) return unreadable(row);
  return {
    seq: Number(row.seq),
    id: row.event_id,
    callId: textOf(record.call_id),
    ts: String(record.ts ?? row.ts),
    phase: (record.phase ?? "system") as EntryView["phase"],
    type: String(record.event_type ?? ""),
    outcome: (record.outcome ?? "unknown") as EntryView["outcome"],
    decision: (record.decision ?? null) as EntryView["decision"],
    reasonCode: textOf(record.reason_code),
    ruleId: textOf(record.rule_id),
    actor: {
      type: String(record.actor_type ?? "anonymous"),
      id: String(record.actor_id ?? ""),
      name: String(record.actor_name ?? ""),
    },
    server: textOf(record.server),
    tool: textOf(record.tool),
    target: textOf(record.target),
    latencyMs: typeof record.latency_ms === "number" ? record.latency_ms : null,
    sentence: toSentence(record),
  };
}

const textOf = (value: string | number | undefined): string | null => (value === undefined ? null : String(value));

const unreadable = (row: EntryRow): EntryView => ({
  seq: Number(row.seq),
  id: row.event_id,
  callId: null,
  ts: row.ts,
  phase: "system",
  type: "entry.unreadable",
  outcome: "unknown",
  decision: null,
  reasonCode: null,
  ruleId: null,
  actor: { type: "anonymous", id: "", name: "" },
  server: null,
  tool: null,
  target: null,
  latencyMs: null,
  sentence: "The record of this entry cannot be read: it was changed after it was written. Verify the chain.",
});
