import { hash as digestOf } from "node:crypto";

/**
 * The arithmetic of the trail. One chain per tenant:
 *
 *   record_sha256 = SHA-256(record)                       record = RFC 8785 bytes, as stored
 *   hash          = SHA-256(0x01 || prev_hash || record_sha256)
 *   genesis       = SHA-256("countersign.audit.genesis.v1" || 0x00 || tenant id)
 *
 * The hash covers the record's digest, not the record, so an export may leave a record out and still be checked.
 */
export const DIGEST_BYTES = 32;

const GENESIS_DOMAIN = "countersign.audit.genesis.v1\u0000";
// Another first byte than any record or genesis text starts with, so that no digest can be read as a link.
const LINK_TAG = 0x01;

/** Where a chain stands: the last sequence number and its hash. Sequence 0 is the genesis. */
export type Tip = { readonly seq: number; readonly hash: Uint8Array };

/** One entry as it is stored. */
export type ChainedRecord = {
  readonly seq: number;
  readonly record: Uint8Array;
  readonly recordSha256: Uint8Array;
  readonly prevHash: Uint8Array;
  readonly hash: Uint8Array;
};

export type BreakKind = "missing" | "out_of_order" | "not_linked" | "record_changed" | "hash_changed";

/** The first entry that does not hold, by sequence number. */
export type ChainBreak = { readonly seq: number; readonly kind: BreakKind; readonly problem: string };

export const sha256 = (bytes: Uint8Array | string): Buffer => digestOf("sha256", bytes, "buffer");

/** The same as lower-case hex. */
export const sha256Hex = (bytes: Uint8Array): string => digestOf("sha256", bytes, "hex");

/** The tip before the first entry; different for every tenant, so that no chain can stand in for another's. */
export const genesisTip = (tenantId: string): Tip => ({ seq: 0, hash: sha256(GENESIS_DOMAIN + tenantId) });

/** The hash of an entry whose record has this digest and which follows `prevHash`. */
export function linkHash(prevHash: Uint8Array, recordSha256: Uint8Array): Buffer {
  const joined = Buffer.allocUnsafe(1 + 2 * DIGEST_BYTES);
  joined[0] = LINK_TAG;
  joined.set(prevHash, 1);
  joined.set(recordSha256, 1 + DIGEST_BYTES);
  return sha256(joined);
}

/** Chains a record to the tip. */
export function chainRecord(tip: Tip, record: Uint8Array): ChainedRecord {
  const recordSha256 = sha256(record);
  return { seq: tip.seq + 1, record, recordSha256, prevHash: tip.hash, hash: linkHash(tip.hash, recordSha256) };
}

/** `chainRecord` for many records in a row, without an object and four buffers for each. */
export class ChainLinker {
  /** Sequence number and hash (hex) of the record that was linked last. */
  seq: number;
  hash: string;
  /** Its digest and the hash before it; valid until the next one is linked. */
  readonly recordSha256: Uint8Array;
  readonly prevHash: Uint8Array;
  private readonly joined = Buffer.alloc(1 + 2 * DIGEST_BYTES, LINK_TAG);

  constructor(from: Tip) {
    this.seq = from.seq;
    this.hash = Buffer.from(from.hash).toString("hex");
    this.prevHash = this.joined.subarray(1, 1 + DIGEST_BYTES);
    this.recordSha256 = this.joined.subarray(1 + DIGEST_BYTES);
  }

  link(record: Uint8Array): void {
    this.joined.write(this.hash, 1, "hex");
    this.joined.write(digestOf("sha256", record, "hex"), 1 + DIGEST_BYTES, "hex");
    this.hash = digestOf("sha256", this.joined, "hex");
    this.seq += 1;
  }

  tip(): Tip {
    return { seq: this.seq, hash: Buffer.from(this.hash, "hex") };
  }
}

export const sameBytes = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0;

const digestSized = (entry: ChainedRecord): boolean =>
  entry.prevHash.length === DIGEST_BYTES &&
  entry.recordSha256.length === DIGEST_BYTES &&
  entry.hash.length === DIGEST_BYTES;

/** Says what is wrong with `entry` as the successor of `tip`; null when it holds. */
export function checkLink(tip: Tip, entry: ChainedRecord): ChainBreak | null {
  const expected = tip.seq + 1;
  if (entry.seq > expected) {
    return { seq: expected, kind: "missing", problem: missingText(expected, entry.seq - 1) };
  }
  if (entry.seq < expected) {
    return { seq: entry.seq, kind: "out_of_order", problem: `entry ${entry.seq} stands again after entry ${tip.seq}` };
  }
  if (!digestSized(entry)) return { seq: expected, kind: "hash_changed", problem: "a hash has not 32 bytes" };
  if (!sameBytes(sha256(entry.record), entry.recordSha256)) {
    return { seq: expected, kind: "record_changed", problem: "the record was changed after it was written" };
  }
  if (!sameBytes(entry.prevHash, tip.hash)) {
    return { seq: expected, kind: "not_linked", problem: `it does not follow entry ${tip.seq} as stored` };
  }
  if (!sameBytes(linkHash(entry.prevHash, entry.recordSha256), entry.hash)) {
    return { seq: expected, kind: "hash_changed", problem: "its hash is not the hash of its record" };
  }
  return null;
}

/** `entry 7 is missing`, `entries 7 to 9 are missing`. */
export const missingText = (from: number, to: number): string =>
  from === to ? `entry ${from} is missing` : `entries ${from} to ${to} are missing`;

/** Walks entries that should follow `from`; the first that does not hold, or null. */
export function firstBreak(entries: Iterable<ChainedRecord>, from: Tip): ChainBreak | null {
  let tip = from;
  for (const entry of entries) {
    const found = checkLink(tip, entry);
    if (found !== null) return found;
    tip = entry;
  }
  return null;
}
