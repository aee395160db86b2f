import { EXPORT_TYPE, EXPORT_VERSION, type ExportEnd, type ExportManifest } from "@/lib/audit/export-lines";
import { canonicalJson } from "@/lib/core/canonical-json";

/** One entry as an export says it. */
export type Entry = {
  readonly seq: number;
  readonly prevHash: string;
  readonly hash: string;
  readonly record: Readonly<Record<string, unknown>>;
};

const HEX_DIGEST = /^[0-9a-f]{64}$/;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The object that a line says, or in words why it is not the canonical text of one. */
export function parseCanonical(bytes: Uint8Array): Readonly<Record<string, unknown>> | string {
  try {
    const text = decoder.decode(bytes);
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return "it is not an object";
    return canonicalJson(value) === text ? value : "it is not written as it was exported";
  } catch (cause) {
    // Bad UTF-8, bad JSON, or nested so deeply that it cannot be written again.
    return cause instanceof SyntaxError ? "it is not JSON" : "it cannot be read";
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isDigest = (value: unknown): value is string => typeof value === "string" && HEX_DIGEST.test(value);
const isSeq = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const hasKeys = (value: object, keys: string): boolean => Object.keys(value).sort().join() === keys;

/** The entry that a line says; null where it says none, or says more. */
export function toEntry(value: Readonly<Record<string, unknown>>): Entry | null {
  const { seq, prev_hash: prevHash, hash, record } = value;
  if (!hasKeys(value, "hash,prev_hash,record,seq")) return null;
  return isSeq(seq) && isDigest(prevHash) && isDigest(hash) && isObject(record)
    ? { seq, prevHash, hash, record }
    : null;
}

/** The run of digests for entries that the filter left out. */
export function toOmitted(value: unknown): { readonly fromSeq: number; readonly digests: readonly string[] } | null {
  if (!isObject(value) || !hasKeys(value, "digests,from_seq,to_seq")) return null;
  const { digests, from_seq: fromSeq, to_seq: toSeq } = value;
  if (!Array.isArray(digests) || digests.length === 0 || !digests.every(isDigest)) return null;
  return isSeq(fromSeq) && toSeq === fromSeq + digests.length - 1 ? { fromSeq, digests } : null;
}

/** The first line; null where something is missing or of another kind. Whether it contradicts itself is for `contradiction`. */
export function toManifest(value: Readonly<Record<string, unknown>>): ExportManifest | null {
  const { type, version, tenant, filter, range, chain } = value;
  if (type !== EXPORT_TYPE || version !== EXPORT_VERSION || !isObject(tenant) || !isObject(range) || !isObject(chain))
    return null;
  if (!isObject(filter) || !Object.values(filter).every((text) => typeof text === "string")) return null;
  const sound =
    typeof tenant["id"] === "string" &&
    typeof tenant["slug"] === "string" &&
    isSeq(range["from_seq"]) &&
    range["from_seq"] >= 1 &&
    isSeq(range["to_seq"]) &&
    isDigest(range["from_prev_hash"]) &&
    isDigest(range["head_hash"]) &&
    isSeq(chain["seq"]) &&
    isDigest(chain["hash"]) &&
    isSeq(value["entries"]) &&
    isSeq(value["omitted"]);
  return sound ? (value as unknown as ExportManifest) : null;
}

/** The last line. */
export function toEnd(value: Readonly<Record<string, unknown>>): ExportEnd | null {
  const { entries, omitted, to_seq: toSeq, head_hash: head, sha256: digest } = value;
  if (!hasKeys(value, "entries,head_hash,omitted,sha256,to_seq,type")) return null;
  return isSeq(entries) && isSeq(omitted) && isSeq(toSeq) && isDigest(head) && isDigest(digest)
    ? (value as unknown as ExportEnd)
    : null;
}
