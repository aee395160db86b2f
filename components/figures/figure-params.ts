import { createLoader, parseAsArrayOf, parseAsString, parseAsStringLiteral } from "nuqs/server";
import type { MetricsWindow } from "@/lib/client/metrics";
import type { OverviewRange } from "@/lib/metrics/schemas";

const RANGES = ["15m", "1h", "6h", "24h", "7d", "30d"] as const satisfies readonly OverviewRange[];

/** The address of figures: back from now, or bounds (ISO 8601) that go before it; and what is shown as a table. */
export const figureParams = {
  range: parseAsStringLiteral(RANGES).withDefault("1h"),
  from: parseAsString,
  to: parseAsString,
  tables: parseAsArrayOf(parseAsString).withDefault([]),
};
export const loadFigureParams = createLoader(figureParams);

type WindowParams = { readonly range: OverviewRange; readonly from: string | null; readonly to: string | null };

const isTime = (text: string | null): text is string => text !== null && !Number.isNaN(Date.parse(text));

/** The window an address asks for. What is no time is as good as not said. */
export function windowOf({ range, from, to }: WindowParams): MetricsWindow {
  if (!isTime(from)) return range;
  const bounds = { from: new Date(from).toISOString() };
  return isTime(to) ? { ...bounds, to: new Date(to).toISOString() } : bounds;
}

export const WINDOW_OPTIONS: readonly { readonly value: OverviewRange; readonly words: string }[] = [
  { value: "15m", words: "15 minutes" },
  { value: "1h", words: "hour" },
  { value: "6h", words: "6 hours" },
  { value: "24h", words: "24 hours" },
  { value: "7d", words: "7 days" },
  { value: "30d", words: "30 days" },
];
