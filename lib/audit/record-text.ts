import { FIELDS, type RecordFields } from "@/lib/audit/record";

/** A field and how its member begins. */
const members = FIELDS.map((name) => [name, `"${name}":`] as const);
const SEQ_AT = FIELDS.indexOf("seq");
const BEFORE_SEQ = members.slice(0, SEQ_AT);
const AFTER_SEQ = members.slice(SEQ_AT + 1);

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
