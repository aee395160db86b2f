import { createLoader, parseAsArrayOf, parseAsStringLiteral } from "nuqs/server";
import type { OverviewRange } from "@/lib/metrics/schemas";

export const RANGES = ["15m", "1h", "6h", "24h", "7d", "30d"] as const satisfies readonly OverviewRange[];
export const CHARTS = ["calls", "latency"] as const;

/** The page's address: which window, and which charts are shown as tables. */
export const overviewParams = {
  range: parseAsStringLiteral(RANGES).withDefault("1h"),
  tables: parseAsArrayOf(parseAsStringLiteral(CHARTS)).withDefault([]),
};

export const loadOverviewParams = createLoader(overviewParams);

export const RANGE_WORDS: Readonly<Record<OverviewRange, string>> = {
  "15m": "15 minutes",
  "1h": "hour",
  "6h": "6 hours",
  "24h": "24 hours",
  "7d": "7 days",
  "30d": "30 days",
};
