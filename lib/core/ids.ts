import { randomBytes, randomFillSync } from "node:crypto";

/** The chain of acts that belong to no tenant: failed sign-ins, refusals before authentication, tenant creation. */
export const PLATFORM_TENANT_ID = "00000000-0000-7000-8000-000000000000";

// A call mints five ids; asking the system for randomness once for many of them costs a tenth.
const RANDOM_BYTES = 10;
const pool = Buffer.alloc(RANDOM_BYTES * 512);
let at = pool.length;
/** The millisecond of the last id, as it begins its text, and what was counted within it: 32 bits. */
let msecs = 0;
let begin = "";
let seq = 0;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const hex = (byte: number): string => HEX[byte & 0xff] ?? "";

/**
 * A time-ordered uuid v7 (RFC 9562 §5.7); within one process a later one sorts after an earlier one, because a counter
 * follows the millisecond (§6.2, method 1).
 */
export function newId(): string {
  if (at === pool.length) {
    randomFillSync(pool);
    at = 0;
  }
  const from = at;
  at += RANDOM_BYTES;
  const now = Date.now();
  if (now > msecs) {
    msecs = now;
    const time = now.toString(16).padStart(12, "0");
    begin = `${time.slice(0, 8)}-${time.slice(8)}-7`;
    // The upper half stays free, so that counting up within a millisecond cannot overflow.
    seq = pool.readUInt32BE(from) >>> 1;
  } else seq += 1;
  const random = (index: number): number => pool[from + index] ?? 0;
  return (
    begin +
    hex(seq >>> 28).slice(1) +
    hex(seq >>> 20) +
    "-" +
    hex(0x80 | ((seq >>> 14) & 0x3f)) +
    hex(seq >>> 6) +
    "-" +
    hex(((seq << 2) & 0xfc) | (random(4) & 0x03)) +
    hex(random(5)) +
    hex(random(6)) +
    hex(random(7)) +
    hex(random(8)) +
    hex(random(9))
  );
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** True for a lower-case uuid; anything else must never reach SQL. */
export const isUuid = (value: string): boolean => UUID.test(value);

/** A secret of 256 bits behind a readable prefix, e.g. `cs_…` for agent keys and `cst_…` for API tokens. */
export const newSecret = (prefix: "cs" | "cst"): string => `${prefix}_${randomBytes(32).toString("base64url")}`;
