/**
 * Durations in buckets whose bounds grow by two percent, so that the middle of a bucket is within one percent of everything
 * in it. Bucket `i` holds what is above 1.02^(i-1) ms and at most 1.02^i ms. Counts of the same bucket can be added, whoever
 * counted them and for whatever time: merging loses nothing.
 */
const GAMMA = 1.02;
const PER_LN = 1 / Math.log(GAMMA);

/** One microsecond and everything below it; the trail knows no shorter time. */
export const LOWEST_BUCKET = -348;
/** Above eleven days. */
export const HIGHEST_BUCKET = 1_046;

/** How many durations fell into each bucket. */
export type Histogram = Map<number, number>;

/** The bucket of a duration in milliseconds. */
export function bucketOf(ms: number): number {
  if (!(ms > 0.001)) return LOWEST_BUCKET;
  return Math.min(HIGHEST_BUCKET, Math.ceil(Math.log(ms) * PER_LN));
}

/** What is told for a bucket, in milliseconds: at most one percent off, above or below. */
export const bucketMs = (bucket: number): number => (2 * GAMMA ** bucket) / (1 + GAMMA);

/** Counts one more duration (ms). */
export function addDuration(histogram: Histogram, ms: number): void {
  const bucket = bucketOf(ms);
  histogram.set(bucket, (histogram.get(bucket) ?? 0) + 1);
}

/** The sum of several; the parts stay as they are. */
export function mergeHistograms(parts: Iterable<Histogram>): Histogram {
  const merged: Histogram = new Map();
  for (const part of parts) {
    for (const [bucket, count] of part) merged.set(bucket, (merged.get(bucket) ?? 0) + count);
  }
  return merged;
}

/**
 * The duration (ms) that the share `p` (0..1) of all durations does not exceed, by nearest rank; null when nothing was
 * counted. SQL does the same in lib/metrics/figures.ts, between the least and the greatest that was measured.
 */
export function percentileMs(histogram: Histogram, p: number): number | null {
  let total = 0;
  for (const count of histogram.values()) total += count;
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(p * total));
  let seen = 0;
  for (const [bucket, count] of [...histogram].sort(([left], [right]) => left - right)) {
    seen += count;
    if (seen >= rank) return bucketMs(bucket);
  }
  return null;
}
