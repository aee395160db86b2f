import { createHash } from "node:crypto";
import { canonicalize } from "json-canonicalize";

/** RFC 8785: one text per value, so that a digest over it can be recomputed anywhere. */
export const canonicalJson = (value: unknown): string => canonicalize(value);

/** SHA-256 of the canonical JSON, lower-case hex. */
export const canonicalSha256 = (value: unknown): string =>
  createHash("sha256").update(canonicalJson(value)).digest("hex");
