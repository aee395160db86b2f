import { z } from "zod";

/** GET /api/v1/metrics/overview?range=1h */
export const overviewInput = z.object({
  range: z.enum(["15m", "1h", "6h", "24h", "7d", "30d"]).default("1h"),
  server: z.string().max(31).optional(),
});
export type OverviewRange = z.output<typeof overviewInput>["range"];

export type ServerFigures = {
  readonly server: string;
  readonly calls: number;
  readonly failures: number;
  readonly denied: number;
  /** 0..1, of calls that reached the server; null without traffic. */
  readonly errorRate: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly circuit: "closed" | "open" | "half-open" | "forced-open" | "disabled";
};
export type OverviewView = {
  readonly from: string;
  readonly to: string;
  readonly bucketMs: number;
  readonly totals: {
    readonly calls: number;
    readonly allowed: number;
    readonly denied: number;
    readonly failures: number;
    readonly unknown: number;
    readonly errorRate: number | null;
    readonly p50Ms: number | null;
    readonly p95Ms: number | null;
    readonly p99Ms: number | null;
  };
  readonly servers: readonly ServerFigures[];
  /** One row per bucket, oldest first; empty buckets are present with zero calls. */
  readonly series: readonly {
    readonly at: string;
    readonly calls: number;
    readonly failures: number;
    readonly denied: number;
    readonly p50Ms: number | null;
    readonly p95Ms: number | null;
    readonly p99Ms: number | null;
    /** The eight servers with the most calls in the window. */
    readonly byServer: Readonly<Record<string, { readonly calls: number; readonly p95Ms: number | null }>>;
  }[];
};
