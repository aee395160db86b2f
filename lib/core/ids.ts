import { randomBytes, randomFillSync } from "node:crypto";
import { v7 } from "uuid";

/** The chain of acts that belong to no tenant: failed sign-ins, refusals before authentication, tenant creation. */
export const PLATFORM_TENANT_ID = "00000000-0000-7000-8000-000000000000";

// A call mints five ids; asking the system for randomness once for many of them costs a tenth.
const RANDOM_BYTES = 16;
const pool = Buffer.alloc(RANDOM_BYTES * 256);
let at = pool.length;
let msecs = 0;
let seq = 0;

/** A time-ordered uuid v7 (RFC 9562 §5.7); within one process a later one sorts after an earlier one. */
export function newId(): string {
  if (at === pool.length) {
    randomFillSync(pool);
    at = 0;
  }
  const random = pool.subarray(at, at + RANDOM_BYTES);
  at += RANDOM_BYTES;
  const now = Date.now();
  if (now > msecs) {
    msecs = now;
    // The upper half stays free, so that counting up within a millisecond cannot overflow.
    seq = random.readUInt32BE(6) >>> 1;
  } else seq += 1;
  return v7({ random, msecs, seq });
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** True for a lower-case uuid; anything else must never reach SQL. */
export const isUuid = (value: string): boolean => UUID.test(value);

/** A secret of 256 bits behind a readable prefix, e.g. `cs_…` for agent keys and `cst_…` for API tokens. */
export const newSecret = (prefix: "cs" | "cst"): string => `${prefix}_${randomBytes(32).toString("base64url")}`;
