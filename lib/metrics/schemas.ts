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
    /** The five servers with the most calls in the window. */
    readonly byServer: Readonly<Record<string, { readonly calls: number; readonly p95Ms: number | null }>>;
  }[];
};

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** GET /api/v1/metrics/statistics?by=tool&server=files&from=…&to=… */
export const statisticsInput = z
  .object({
    by: z.enum(["tenant", "server", "tool", "caller"]).default("server"),
    /** The last hour unless told. Taken down to what figures there still are: the answer says from when they are. */
    from: time.optional(),
    to: time.optional(),
    server: z.string().max(31).optional(),
    tool: z.string().max(256).optional(),
    caller: z.string().max(100).optional(),
    limit: z.coerce.number().int().min(1).max(500).default(100),
  })
  .refine(({ by, tool }) => tool === undefined || by === "tool", {
    path: ["tool"],
    message: "narrows figures by tool only",
  })
  .refine(({ by, caller }) => caller === undefined || by === "caller", {
    path: ["caller"],
    message: "narrows figures by caller only",
  })
  .refine(({ by, server }) => server === undefined || by !== "tenant", {
    path: ["server"],
    message: "does not narrow figures of the whole tenant",
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ["to"],
    message: "must be after from",
  });

/** Durations in milliseconds; they and the rates are null where no call reached a server. */
export type StatisticsRow = {
  /** Empty where the row is not told apart by it. */
  readonly server: string;
  readonly tool: string;
  readonly caller: string;
  readonly callerName: string;
  /** Every call that ended, also those that were refused. */
  readonly requests: number;
  readonly successes: number;
  readonly failures: number;
  readonly denied: number;
  readonly cancelled: number;
  readonly unknown: number;
  /** Calls that went on to the server or to a kept answer: what the durations are of. */
  readonly samples: number;
  /** 0..1: failures among `samples`. */
  readonly errorRate: number | null;
  /** 0..1: calls that found the server there, among those that reached it or were held back by its circuit or places. */
  readonly availability: number | null;
  readonly meanMs: number | null;
  readonly minMs: number | null;
  readonly maxMs: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** Where the mean went: the server, waiting for a place at it, and everything of ours. */
  readonly upstreamMeanMs: number | null;
  readonly queueMeanMs: number | null;
  readonly gatewayMeanMs: number | null;
  readonly cacheHits: number;
  /** Codes of calls that did not succeed, most frequent first. */
  readonly errors: readonly { readonly code: string; readonly count: number }[];
  /** Servers that offer a tool of this name; only by tool. */
  readonly offeredBy?: readonly string[];
};
export type StatisticsView = {
  readonly from: string;
  readonly to: string;
  readonly by: "tenant" | "server" | "tool" | "caller";
  /** Most requests first. */
  readonly rows: readonly StatisticsRow[];
};

/** GET /api/v1/metrics/series?server=files&bucketMinutes=5&from=…&to=… */
export const seriesInput = z
  .object({
    from: time.optional(),
    to: time.optional(),
    server: z.string().max(31).optional(),
    tool: z.string().max(256).optional(),
    bucketMinutes: z.coerce.number().int().min(1).max(1_440).default(1),
  })
  .refine(({ tool, server }) => tool === undefined || server !== undefined, {
    path: ["server"],
    message: "must be named with a tool",
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ["to"],
    message: "must be after from",
  });
export type SeriesPoint = Omit<StatisticsRow, "server" | "tool" | "caller" | "callerName" | "errors" | "offeredBy"> & {
  readonly at: string;
};
export type SeriesView = {
  readonly from: string;
  readonly to: string;
  readonly bucketMs: number;
  /** Oldest first; stretches without calls are left out. */
  readonly points: readonly SeriesPoint[];
};

export const healthInput = z.object({});
export const LIGHTS = ["HEALTHY", "WARNING", "CRITICAL", "UNKNOWN"] as const;
/** A traffic light and why, in words. */
export type LightView = { readonly light: (typeof LIGHTS)[number]; readonly reason: string };
export type HealthView = {
  /** The time the lights are of. */
  readonly from: string;
  readonly to: string;
  readonly tenant: LightView;
  readonly servers: readonly (LightView & {
    readonly server: string;
    /** What asking the server for its tools found, apart from any call. */
    readonly check: { readonly status: string; readonly reason: string | null; readonly checkedAt: string | null };
  })[];
  readonly components: readonly {
    readonly name: "database" | "redis" | "trail";
    readonly status: "up" | "down" | "not_used";
    readonly reason: string;
  }[];
};
