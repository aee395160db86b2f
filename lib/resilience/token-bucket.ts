/** Calls per second, and how many may come at once after a quiet time. */
export type Rate = { readonly perSecond: number; readonly burst: number };

export type Bucket = { tokens: number; at: number };

/** A tenth of a second's worth at once, but at least ten calls, and never more than a second's. */
export const rateOf = (perSecond: number): Rate => ({
  perSecond,
  burst: Math.max(Math.min(10, perSecond), perSecond / 10),
});

/** One process's part of a rate that several hold together. At least one call fits, or nobody would ever pass. */
export const shareOf = ({ perSecond, burst }: Rate, parts: number): Rate => ({
  perSecond: perSecond / parts,
  burst: Math.max(1, burst / parts),
});

/** Fills up for the time that has passed; what is there now. */
export function refill(bucket: Bucket, { perSecond, burst }: Rate, now: number): number {
  // A clock that was set back must not empty the bucket.
  const passed = Math.max(0, now - bucket.at);
  bucket.at = now;
  bucket.tokens = Math.min(burst, bucket.tokens + (passed * perSecond) / 1_000);
  return bucket.tokens;
}

/** How long until `wanted` tokens are there. */
export const waitMs = (tokens: number, wanted: number, { perSecond }: Rate): number =>
  tokens >= wanted ? 0 : Math.ceil(((wanted - tokens) * 1_000) / perSecond);
