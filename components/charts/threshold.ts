import type { ChartPoint, Series } from "@/components/charts/series";

/** A named limit. `always`: on an axis that is stretched to show it, as that of a share may be. */
export type Threshold = { readonly at: number; readonly label: string; readonly always?: boolean };

/** Drawn from here on: below, the axis would have to be stretched until nothing else is seen. */
const REACH = 0.5;

/** Whether the values come near enough to the limit to draw it. */
export function isWithinReach({ at, always }: Threshold, series: readonly Series[], points: readonly ChartPoint[]) {
  if (always === true) return true;
  return points.some(({ values }) => series.some(({ key }) => (values[key] ?? 0) >= at * REACH));
}

/** What is said of a limit that is not drawn; null where it is. */
export function farWords(threshold: Threshold, series: readonly Series[], points: readonly ChartPoint[]) {
  return isWithinReach(threshold, series, points) ? null : `${threshold.label}, above this scale`;
}
