import { z } from "zod";

const RANGES = ["15m", "1h", "6h", "24h", "7d", "30d"] as const;
export type OverviewRange = (typeof RANGES)[number];

const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** A time by its bounds, taken to the minute, or back from now. `from` and `to` go before `range`; the last hour unless told. */
const windowShape = { range: z.enum(RANGES).optional(), from: time.optional(), to: time.optional() };
type Bounds = { readonly from?: number | undefined; readonly to?: number | undefined };
const isForward = ({ from, to }: Bounds): boolean => from === undefined || to === undefined || from < to;
const FORWARD = { path: ["to"], message: "must be after from" };

const server = z.string().max(31).optional();

/** GET /api/v1/metrics/overview?range=1h or ?from=…&to=… */
export const overviewInput = z.object({ ...windowShape, server }).refine(isForward, FORWARD);

/** What becomes of a chart where nothing was called: silence, or a time of which nothing is known. */
export type BucketState = "traffic" | "no_traffic" | "not_recorded";

export type CircuitKind = "closed" | "open" | "half-open" | "forced-open" | "disabled";

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
  readonly circuit: CircuitKind;
  /** Callers with a failed, held back or slow call. */
  readonly callersHit: number;
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
    /** As in StatisticsRow. */
    readonly availability: number | null;
    readonly p50Ms: number | null;
    readonly p95Ms: number | null;
    readonly p99Ms: number | null;
    readonly callersHit: number;
  };
  readonly servers: readonly ServerFigures[];
  /** One row per bucket, oldest first; empty buckets are present with zero calls. */
  readonly series: readonly {
    readonly at: string;
    readonly state: BucketState;
    readonly calls: number;
    readonly failures: number;
    readonly denied: number;
    /** 0..1, of calls that reached a server; null where none did. */
    readonly errorRate: number | null;
    readonly availability: number | null;
    readonly p50Ms: number | null;
    readonly p95Ms: number | null;
    readonly p99Ms: number | null;
    /** The five servers with the most calls in the window. */
    readonly byServer: Readonly<Record<string, { readonly calls: number; readonly p95Ms: number | null }>>;
  }[];
};

/** GET /api/v1/metrics/statistics?by=tool&server=files&from=…&to=… */
export const statisticsInput = z
  .object({
    by: z.enum(["tenant", "server", "tool", "caller"]).default("server"),
    /** Taken down to what figures there still are: the answer says from when they are. */
    ...windowShape,
    server,
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
  .refine(isForward, FORWARD);

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
  /** What is ours told apart: who calls and whether they may, waiting until the intent was durable, and the rest. */
  readonly policyMeanMs: number | null;
  readonly auditMeanMs: number | null;
  readonly otherMeanMs: number | null;
  /** Comes on top of the mean: waiting until the outcome was durable, before the answer left. */
  readonly outcomeMeanMs: number | null;
  readonly cacheHits: number;
  /** 0..1: kept answers among `samples`. */
  readonly cacheHitRatio: number | null;
  /** Calls that waited for a place at the server, and calls that were refused for want of one. */
  readonly queued: number;
  readonly overloaded: number;
  /** Refused because the circuit was open, or by a limit. */
  readonly circuitRefusals: number;
  readonly limited: number;
  /** Distinct callers, and those with a failed, held back or slow call; null where callers are not told apart. */
  readonly callers: number | null;
  readonly callersHit: number | null;
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

/** GET /api/v1/metrics/series?server=files&from=…&to=… */
export const seriesInput = z
  .object({
    ...windowShape,
    server,
    tool: z.string().max(256).optional(),
    caller: z.string().max(100).optional(),
    /** A length that gives at most some 120 points unless told; raised where figures are no longer kept so finely. */
    bucketMinutes: z.coerce.number().int().min(1).max(1_440).optional(),
  })
  .refine(({ tool, server: named }) => tool === undefined || named !== undefined, {
    path: ["server"],
    message: "must be named with a tool",
  })
  .refine(({ tool, caller }) => tool === undefined || caller === undefined, {
    path: ["caller"],
    message: "does not narrow figures of a tool",
  })
  .refine(isForward, FORWARD);
type NotOverTime = "server" | "tool" | "caller" | "callerName" | "callers" | "callersHit" | "errors" | "offeredBy";
export type SeriesPoint = Omit<StatisticsRow, NotOverTime> & {
  readonly at: string;
  readonly state: BucketState;
};
export type SeriesView = {
  readonly from: string;
  readonly to: string;
  readonly bucketMs: number;
  /** Since when figures are kept; null where there are none yet. */
  readonly recordedFrom: string | null;
  /** Every bucket, oldest first. */
  readonly points: readonly SeriesPoint[];
};

/** GET /api/v1/metrics/circuits?server=files&range=24h */
export const circuitsInput = z.object({ ...windowShape, server }).refine(isForward, FORWARD);
export type CircuitBand = {
  readonly from: string;
  readonly to: string;
  readonly state: CircuitKind;
  /** Null where it is closed because nothing ever happened to it. */
  readonly reason: string | null;
  /** The person whose word it was; null where it changed by itself. */
  readonly by: string | null;
};
export type CircuitTimeline = {
  readonly server: string;
  /** Null for the server's own circuit. */
  readonly tool: string | null;
  /** How often it opened within the time, by itself or by a person. */
  readonly opens: number;
  /** Milliseconds in each state. */
  readonly timeIn: Readonly<Record<CircuitKind, number>>;
  /** Without gap, oldest first. */
  readonly bands: readonly CircuitBand[];
};
export type CircuitsView = {
  readonly from: string;
  readonly to: string;
  readonly circuits: readonly CircuitTimeline[];
};

/** GET /api/v1/metrics/marks?server=files&range=24h */
export const marksInput = z.object({ ...windowShape, server }).refine(isForward, FORWARD);
export type Mark = {
  readonly at: string;
  readonly kind: "deploy" | "permission_map" | "server" | "kill_switch" | "circuit";
  readonly text: string;
  /** The entry in the trail; null for a deploy, which is no tenant's. */
  readonly entryId: string | null;
  readonly by: string;
};
export type MarksView = {
  readonly from: string;
  readonly to: string;
  /** Oldest first. The newest 200; `more` says that older ones were left out. */
  readonly marks: readonly Mark[];
  readonly more: boolean;
};

/** GET /api/v1/metrics/pools?server=files&range=1h */
export const poolsInput = z.object({ ...windowShape, server }).refine(isForward, FORWARD);
export type PoolFigures = {
  readonly server: string;
  /** Of the process that answered, now and since its start; null before it called the server. */
  readonly now: {
    readonly inUse: number;
    readonly queued: number;
    readonly open: number;
    readonly maxConcurrent: number;
    readonly maxQueued: number;
    readonly created: number;
    readonly reused: number;
    readonly exhausted: number;
    readonly refused: number;
  } | null;
  /** Of all processes within the time, as calls told it. Over time: the series of the server. */
  readonly window: {
    readonly samples: number;
    readonly queued: number;
    readonly queueMeanMs: number | null;
    readonly overloaded: number;
    readonly circuitRefusals: number;
    readonly limited: number;
    readonly cacheHits: number;
    readonly cacheHitRatio: number | null;
  };
};
export type PoolsView = { readonly from: string; readonly to: string; readonly servers: readonly PoolFigures[] };

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

/** GET /api/v1/metrics/tenants: counts of tenants, and nothing else of theirs. */
export type TenantLightsView = {
  readonly from: string;
  readonly to: string;
  readonly whole: LightView;
  readonly tenants: readonly (LightView & { readonly id: string; readonly slug: string; readonly name: string })[];
};
