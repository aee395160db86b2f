export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export type Resolution = "minute" | "hour" | "day";
const UNIT_MS: Readonly<Record<Resolution, number>> = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS };

/** A stretch of time [from, to) and the table that has it. Epoch milliseconds. */
export type Segment = { readonly resolution: Resolution; readonly from: number; readonly to: number };

/** Up to where minutes have become hours, and hours days (epoch ms). */
export type RolledUp = { readonly hours: number; readonly days: number };

export const floorTo = (time: number, unitMs: number): number => Math.floor(time / unitMs) * unitMs;
const ceilTo = (time: number, unitMs: number): number => Math.ceil(time / unitMs) * unitMs;

/** The coarsest figures that can be put into buckets of this length. */
export function resolutionFor(bucketMs: number): Resolution {
  if (bucketMs % DAY_MS === 0) return "day";
  return bucketMs % HOUR_MS === 0 ? "hour" : "minute";
}

/**
 * Covers [from, to) without gap or overlap: days in the middle, hours at their edges, minutes at the edges of those and
 * wherever nothing was summed up yet. Nothing coarser than `coarsest` is used. Bounds are taken down to the minute.
 */
export function coverTime(
  from: number,
  to: number,
  rolled: RolledUp,
  coarsest: Resolution = "day",
): readonly Segment[] {
  const [start, end] = [floorTo(from, MINUTE_MS), ceilTo(to, MINUTE_MS)];
  const steps: readonly Resolution[] = coarsest === "day" ? ["day", "hour"] : coarsest === "hour" ? ["hour"] : [];
  return cover(start, end, steps, rolled);
}

function cover(from: number, to: number, steps: readonly Resolution[], rolled: RolledUp): readonly Segment[] {
  if (from >= to) return [];
  const [resolution, ...finer] = steps;
  if (resolution === undefined) return [{ resolution: "minute", from, to }];
  const unitMs = UNIT_MS[resolution];
  const inner = ceilTo(from, unitMs);
  const until = Math.min(floorTo(to, unitMs), resolution === "day" ? rolled.days : rolled.hours);
  if (inner >= until) return cover(from, to, finer, rolled);
  return [
    ...cover(from, inner, finer, rolled),
    { resolution, from: inner, to: until },
    ...cover(until, to, finer, rolled),
  ];
}

/** How long figures of each resolution are kept (days). */
export type Kept = { readonly minuteDays: number; readonly hourDays: number };

/** A beginning for which there still are figures: older than minutes are kept it is a full hour, and then a full day. */
export function alignStart(from: number, now: number, { minuteDays, hourDays }: Kept): number {
  if (from < floorTo(now, DAY_MS) - hourDays * DAY_MS) return floorTo(from, DAY_MS);
  if (from < floorTo(now, DAY_MS) - minuteDays * DAY_MS) return floorTo(from, HOUR_MS);
  return floorTo(from, MINUTE_MS);
}
