import "server-only";
import type { TenantTx } from "@/lib/db/in-tenant";
import { env } from "@/lib/env";
import type { BucketState, OverviewRange } from "@/lib/metrics/schemas";
import { alignStart, DAY_MS, floorTo, HOUR_MS, MINUTE_MS } from "@/lib/metrics/segments";

const RANGE_MS: Readonly<Record<OverviewRange, number>> = {
  ...{ "15m": 15 * MINUTE_MS, "1h": HOUR_MS, "6h": 6 * HOUR_MS },
  ...{ "24h": DAY_MS, "7d": 7 * DAY_MS, "30d": 30 * DAY_MS },
};

/** Lengths people count in. */
const STEPS_MS: readonly number[] = [
  ...[1, 5, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 6].map((hours) => hours * HOUR_MS),
  ...[1, 7, 30].map((days) => days * DAY_MS),
];
/** More cannot be told apart on a chart. */
const WANTED_POINTS = 100;
/** More are not given, however short the buckets that were asked for. */
const MAX_POINTS = 1_500;

type Asked = {
  readonly range?: OverviewRange | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
};
/** A time [from, to), epoch milliseconds. */
export type Window = { readonly from: number; readonly to: number };
/** The same, cut into buckets: `from` is where the first of them begins. */
export type BucketedWindow = Window & { readonly bucketMs: number };

const kept = () => {
  const { METRICS_MINUTE_DAYS: minuteDays, METRICS_HOUR_DAYS: hourDays } = env();
  return { minuteDays, hourDays };
};

/** The time that was asked for, taken down to the minute; a range back from now to where its first bucket begins. */
export function windowOf({ range, ...asked }: Asked, now = Date.now()): Window {
  const to = asked.to ?? now;
  if (asked.from !== undefined) return { from: alignStart(asked.from, now, kept()), to };
  const from = to - RANGE_MS[range ?? "1h"];
  return { from: alignStart(floorTo(from, bucketFor(from, to, now)), now, kept()), to };
}

/** The same in buckets: as long as asked, or as reads well; never shorter than figures of that age are kept. */
export function bucketedWindow(asked: Asked, wantedMs?: number, now = Date.now()): BucketedWindow {
  const { from, to } = windowOf(asked, now);
  const bucketMs =
    wantedMs === undefined
      ? bucketFor(from, to, now)
      : Math.max(wantedMs, shortest(from, now), stepFor(to - from, MAX_POINTS));
  return { from: floorTo(from, bucketMs), to, bucketMs };
}

const bucketFor = (from: number, to: number, now: number): number =>
  Math.max(stepFor(to - from, WANTED_POINTS), shortest(from, now));

const stepFor = (spanMs: number, points: number): number =>
  STEPS_MS.find((stepMs) => spanMs / stepMs <= points) ?? STEPS_MS.at(-1) ?? DAY_MS;

function shortest(from: number, now: number): number {
  const { minuteDays, hourDays } = kept();
  if (from < floorTo(now, DAY_MS) - hourDays * DAY_MS) return DAY_MS;
  return from < floorTo(now, DAY_MS) - minuteDays * DAY_MS ? HOUR_MS : MINUTE_MS;
}

/** Where each bucket of a window begins. */
export function bucketsOf({ from, to, bucketMs }: BucketedWindow): readonly number[] {
  return Array.from({ length: Math.ceil((to - from) / bucketMs) }, (_, index) => from + index * bucketMs);
}

const RECORDED_FROM = `select (extract(epoch from least(
    (select recorded_from from call_rollups where tenant_id = $1::uuid),
    (select min(at) from call_days where tenant_id = $1::uuid and level = 0),
    (select min(at) from call_hours where tenant_id = $1::uuid and level = 0),
    (select min(at) from call_minutes where tenant_id = $1::uuid and level = 0))) * 1000)::float8 as "recordedFrom"`;

/** Since when a tenant's calls are counted (epoch ms); null where that has not begun. */
export async function readRecordedFrom(tx: TenantTx, tenantId: string): Promise<number | null> {
  const rows = await tx.$queryRawUnsafe<{ recordedFrom: number | null }[]>(RECORDED_FROM, tenantId);
  return rows[0]?.recordedFrom ?? null;
}

/** Whether nothing was called in a bucket, or nothing can be known of it. */
export function stateOf(
  at: number,
  calls: number,
  { bucketMs, recordedFrom, now }: { readonly bucketMs: number; readonly recordedFrom: number | null; now: number },
): BucketState {
  if (calls > 0) return "traffic";
  if (recordedFrom === null || at + bucketMs <= recordedFrom || at > now) return "not_recorded";
  return "no_traffic";
}
