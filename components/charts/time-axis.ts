import { type ChartPoint, emptyWords, type TimeMark } from "@/components/charts/series";

/** Pixels around the plot: the same in every chart, so that times lie under each other. */
export const PLOT = { left: 56, right: 4, top: 4, bottom: 30 } as const;

/** A part of the axis, both ends from 0 to 1. */
export type Stretch = { readonly start: number; readonly end: number };

/** The bucket under a distance from the left edge of the chart. */
export function bucketAt(x: number, width: number, count: number): number {
  const inner = width - PLOT.left - PLOT.right;
  if (inner <= 0 || count === 0) return 0;
  return Math.min(count - 1, Math.max(0, Math.floor(((x - PLOT.left) / inner) * count)));
}

/** The time from the first bucket a drag touched to the end of the last; dragged either way. */
export function rangeOf(
  points: readonly ChartPoint[],
  bucketMs: number,
  one: number,
  other: number,
): { readonly fromMs: number; readonly toMs: number } | null {
  const [first, last] = [points[Math.min(one, other)], points[Math.max(one, other)]];
  if (first === undefined || last === undefined) return null;
  return { fromMs: Date.parse(first.at), toMs: Date.parse(last.at) + bucketMs };
}

export type EmptyStretch = Stretch & { readonly words: string };

/** Neighbouring buckets that are empty for the same reason. */
export function emptyStretches(points: readonly ChartPoint[]): readonly EmptyStretch[] {
  const found: EmptyStretch[] = [];
  for (const [index, point] of points.entries()) {
    const words = emptyWords(point);
    if (words === null) continue;
    const [start, end] = [index / points.length, (index + 1) / points.length];
    const last = found.at(-1);
    if (last?.words === words && last.end === start) found[found.length - 1] = { ...last, end };
    else found.push({ start, end, words });
  }
  return found;
}

/** Where times lie on the axis of these buckets. */
export function axisOf(points: readonly ChartPoint[], bucketMs: number) {
  const fromMs = Date.parse(points[0]?.at ?? "");
  const spanMs = points.length * bucketMs;
  return { fromMs, toMs: fromMs + spanMs, positionOf: (ms: number): number => (ms - fromMs) / spanMs };
}

/** Marks closer together than this share one flag: also on a narrow screen there is room for it. */
const FLAG_WIDTH = 0.12;

/** `flag` is null where an earlier mark's flag speaks for this one too. */
export type PlacedMark = {
  readonly number: number;
  readonly position: number;
  readonly flag: string | null;
  readonly title: string;
};

/** Marks within the axis, numbered from the oldest as in the list beside the charts; flags never lie on each other. */
export function placeMarks(
  marks: readonly TimeMark[],
  points: readonly ChartPoint[],
  bucketMs: number,
): readonly PlacedMark[] {
  const { positionOf } = axisOf(points, bucketMs);
  const groups: { readonly position: number; readonly number: number; title: string; others: number[] }[] = [];
  for (const [index, mark] of marks.entries()) {
    const position = positionOf(Date.parse(mark.at));
    if (!(position >= 0 && position <= 1)) continue;
    const [number, title] = [index + 1, `${index + 1} ${mark.label}`];
    const last = groups.at(-1);
    if (last === undefined || position - last.position >= FLAG_WIDTH) {
      groups.push({ position, number, title, others: [] });
    } else {
      last.others.push(position);
      last.title += `\n${title}`;
    }
  }
  return groups.flatMap(({ position, number, title, others }) => [
    { number, position, title, flag: others.length === 0 ? String(number) : `${number}–${number + others.length}` },
    ...others.map((other, index) => ({ number: number + 1 + index, position: other, title, flag: null })),
  ]);
}

export type StateBand<State extends string = string> = {
  readonly from: string;
  readonly to: string;
  readonly state: State;
};
export type PlacedBand<Band extends StateBand> = Stretch & { readonly band: Band };

/** Bands within the axis, cut at its ends. */
export function placeBands<Band extends StateBand>(
  bands: readonly Band[],
  points: readonly ChartPoint[],
  bucketMs: number,
): readonly PlacedBand<Band>[] {
  const { positionOf } = axisOf(points, bucketMs);
  return bands.flatMap((band) => {
    const start = Math.max(0, positionOf(Date.parse(band.from)));
    const end = Math.min(1, positionOf(Date.parse(band.to)));
    return end > start ? [{ start, end, band }] : [];
  });
}
