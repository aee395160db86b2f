import { formatCount, formatDuration } from "@/components/ui/format";
import type { EntryDetail } from "@/lib/audit/schemas";

export type Fact = {
  readonly label: string;
  readonly text: string;
  /** Ids and hashes are copied whole; code is shown whole in mono. */
  readonly as?: "id" | "code";
};
export type Section = { readonly title: string; readonly facts: readonly Fact[] };

type Row = readonly [field: string, label: string, as?: "id" | "code"];

const WHO: readonly Row[] = [
  ["actor_name", "Name"],
  ["actor_type", "Kind"],
  ["actor_id", "Actor id", "id"],
  ["on_behalf_of", "On behalf of", "id"],
  ["auth_method", "Signed in by"],
  ["credential_id", "Credential", "id"],
  ["client_name", "Client"],
  ["src_ip", "Address", "code"],
  ["user_agent", "User agent"],
];
const WHAT: readonly Row[] = [
  ["event_type", "Event", "code"],
  ["phase", "Phase"],
  ["server", "Server", "code"],
  ["tool", "Tool", "code"],
  ["tool_def_sha256", "Tool definition", "id"],
  ["target", "Target", "code"],
  ["door", "Door", "code"],
  ["era", "Protocol era"],
  ["request_id", "Request", "id"],
  ["call_id", "Call", "id"],
  ["trace_id", "Trace", "id"],
  ["span_id", "Span", "id"],
];
const DECISION: readonly Row[] = [
  ["decision", "Decision"],
  ["outcome", "Outcome"],
  ["permission", "Permission needed", "code"],
  ["rule_id", "Rule", "code"],
  ["reason_code", "Reason code", "code"],
  ["reason", "Reason"],
  ["policy_version", "Permission map version"],
  ["policy_version_sha256", "Permission map", "id"],
];

const textOf = (value: unknown): string | null =>
  value === undefined || value === null ? null : typeof value === "object" ? JSON.stringify(value) : String(value);

function factsOf(record: EntryDetail["record"], rows: readonly Row[]): Fact[] {
  return rows.flatMap(([field, label, as]) => {
    const text = textOf(record[field]);
    return text === null ? [] : [{ label, text, ...(as === undefined ? {} : { as }) }];
  });
}

/** A list says how much was in it, an entry that stands for several refusals how many they were. */
function counted({ record }: EntryDetail): Fact[] {
  const isList = /_list\.(read|searched)$/.test(textOf(record["event_type"]) ?? "");
  return factsOf(record, [["count", isList ? "Listed" : "Times"]]);
}

const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);

function timing({ record }: EntryDetail): Fact[] {
  const total = numberOf(record["latency_ms"]);
  const upstream = numberOf(record["upstream_ms"]);
  const facts: (Fact | null)[] = [
    total === null ? null : { label: "Took", text: formatDuration(total) },
    upstream === null ? null : { label: "Of it the server", text: formatDuration(upstream) },
    total === null || upstream === null
      ? null
      : { label: "Of it the gateway", text: formatDuration(Math.max(0, total - upstream)) },
    ...factsOf(record, [
      ["breaker_state", "Circuit"],
      ["cache", "Cache"],
      ["retry_no", "Retries"],
    ]),
    ...(["bytes_in", "bytes_out"] as const).map((field) => {
      const bytes = numberOf(record[field]);
      const label = field === "bytes_in" ? "Request" : "Answer";
      return bytes === null ? null : { label, text: `${formatCount(bytes)} bytes` };
    }),
  ];
  return facts.filter((fact) => fact !== null);
}

function chain(entry: EntryDetail): Fact[] {
  return [
    { label: "Sequence number", text: formatCount(entry.seq) },
    { label: "Entry id", text: entry.id, as: "id" },
    { label: "Hash", text: entry.hash, as: "id" },
    { label: "Previous hash", text: entry.prevHash, as: "id" },
    { label: "Record SHA-256", text: entry.recordSha256, as: "id" },
    ...factsOf(entry.record, [
      ["payload_sha256", "Payload SHA-256", "id"],
      ["gateway_id", "Gateway", "id"],
      ["gateway_version", "Gateway version"],
    ]),
  ];
}

/** Who / What / Decision / Timing / Chain, without what is not recorded. */
export function detailSections(entry: EntryDetail): readonly Section[] {
  return [
    { title: "Who", facts: factsOf(entry.record, WHO) },
    { title: "What", facts: [...factsOf(entry.record, WHAT), ...counted(entry)] },
    { title: "Decision", facts: factsOf(entry.record, DECISION) },
    { title: "Timing", facts: timing(entry) },
    { title: "Chain", facts: chain(entry) },
  ].filter((section) => section.facts.length > 0);
}
