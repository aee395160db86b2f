/** How an area is filled, so that layers are told apart without colour. */
export const FILLS = ["solid", "hatch", "dots", "cross", "rows"] as const;
export type Fill = (typeof FILLS)[number];

/** One line or one layer of a bar. */
export type Series = {
  readonly key: string;
  readonly label: string;
  readonly color: string;
  /** A dash pattern tells lines apart without colour; what has none is drawn as an area. */
  readonly dash?: string;
  /** Of an area; by its place among the others unless told. */
  readonly fill?: Fill;
};

/** One bucket. `samples` is how many measurements stand behind it. */
export type ChartPoint = {
  readonly at: string;
  readonly samples: number;
  readonly values: Readonly<Record<string, number | null>>;
  /** Why there is nothing, where it is not for want of traffic: "not stored yet". */
  readonly gap?: string;
};

/** Something that happened at a time and may explain what the lines do. */
export type TimeMark = { readonly at: string; readonly label: string };

/** Where a bucket leads, and one of its series where that leads elsewhere; null where nowhere. */
export type HrefOf = (point: ChartPoint, key: string | null) => string | null;

/** What charts of one page share besides their cursor. */
export type Timeline = {
  readonly marks?: readonly TimeMark[];
  /** Asked when a stretch was drawn with the mouse; epoch milliseconds, whole buckets. */
  readonly onRange?: (fromMs: number, toMs: number) => void;
  readonly hrefOf?: HrefOf;
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

export const fillOf = (series: readonly Series[], one: Series): Fill =>
  one.fill ?? FILLS[series.indexOf(one) % FILLS.length] ?? "solid";

export const NO_TRAFFIC = "no traffic";

/** Why a bucket is empty, in words; null where it is not. */
export const emptyWords = (point: ChartPoint): string | null => point.gap ?? (point.samples === 0 ? NO_TRAFFIC : null);
