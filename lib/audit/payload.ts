import { sha256Hex } from "@/lib/audit/chain";
import { START_BYTES, type TextDigest } from "@/lib/core/text-digest";

/** How much of one side (arguments, result, before, after) is kept. */
export const MAX_SIDE_BYTES = 64 * 1024;
const MAX_SIDES = 16;

/** A side that is too large to be kept, of which somebody has made the digest already: from its compact JSON. */
export class CutSide {
  readonly digest: TextDigest;

  constructor(digest: TextDigest) {
    this.digest = digest;
  }
}

/**
 * The bytes that are sealed beside an entry: a JSON object of sides, each kept as it was sent (order of keys included).
 * A side beyond the bound is cut; its true size and digest stay, so that a copy held elsewhere can still be matched.
 */
export function encodePayload(payload: unknown): Buffer | null {
  if (payload === undefined) return null;
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    return Buffer.from(`{"value":${encodeSide(payload)}}`, "utf8");
  }
  let sides = "";
  let count = 0;
  for (const name of Object.keys(payload)) {
    const value = (payload as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) continue;
    sides += `${count === 0 ? "" : ","}${JSON.stringify(name)}:${encodeSide(value)}`;
    count += 1;
    if (count === MAX_SIDES) break;
  }
  return count === 0 ? null : Buffer.from(`{${sides}}`, "utf8");
}

function encodeSide(value: unknown): string {
  if (value instanceof CutSide) return cutText(value.digest);
  const text = toJson(value);
  // A UTF-16 unit is one to three bytes, so only few lengths need counting.
  const mayFit = text.length <= MAX_SIDE_BYTES;
  if (mayFit && (text.length * 3 <= MAX_SIDE_BYTES || Buffer.byteLength(text) <= MAX_SIDE_BYTES)) return text;
  const bytes = Buffer.from(text, "utf8");
  const start = bytes.subarray(0, START_BYTES).toString("utf8");
  return cutText({ bytes: bytes.length, sha256: sha256Hex(bytes), start });
}

const cutText = ({ bytes, sha256, start }: TextDigest): string => JSON.stringify({ $cut: { bytes, sha256, start } });

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch (cause) {
    // Too deep or circular: the entry must still be written.
    return JSON.stringify({ $unreadable: cause instanceof Error ? cause.message : "not JSON" });
  }
}
