/** One line or one layer of a bar. */
export type Series = {
  readonly key: string;
  readonly label: string;
  readonly color: string;
  /** A dash pattern or a hatch tells series apart without colour. */
  readonly dash?: string;
};

/** One bucket. `samples` is how many measurements stand behind it. */
export type ChartPoint = {
  readonly at: string;
  readonly samples: number;
  readonly values: Readonly<Record<string, number | null>>;
};

const DAY_MS = 86_400_000;
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "UTC" });
const seconds = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
  timeZone: "UTC",
});
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

/** A tick as short as the span allows: `14:03:20`, `14:03`, or `20 Nov`. */
export function tickLabel(iso: string, spanMs: number, bucketMs: number): string {
  const date = new Date(iso);
  if (spanMs > 2 * DAY_MS) return day.format(date);
  return bucketMs < 60_000 ? seconds.format(date) : time.format(date);
}

/** The span a row of buckets covers. */
export const spanOf = (points: readonly ChartPoint[], bucketMs: number): number => points.length * bucketMs;

/** True where a point has no measured neighbour, so a line through it would not be seen. */
export function isLonely(points: readonly ChartPoint[], index: number, key: string): boolean {
  const at = (offset: number) => points[index + offset]?.values[key] ?? null;
  return at(0) !== null && at(-1) === null && at(1) === null;
}
