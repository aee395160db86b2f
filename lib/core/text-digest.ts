/** What is kept of a text that is too large to keep: its size and digest in full, and how it begins. */
export type TextDigest = {
  /** Of the text in UTF-8. */
  readonly bytes: number;
  /** SHA-256 of those bytes, in hexadecimal. */
  readonly sha256: string;
  /** Its first `START_BYTES` bytes. */
  readonly start: string;
};

export const START_BYTES = 32 * 1024;
