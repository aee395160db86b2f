import { LEVEL, type Level } from "@/lib/metrics/call-cells";
import { SUMS } from "@/lib/metrics/roll-up-sql";
import type { Resolution, Segment } from "@/lib/metrics/segments";

/** What figures are told apart by. */
export type Key = "server" | "tool" | "caller";

/** What is asked for: which figures, of what time, told apart how. */
export type FiguresQuery = {
  readonly tenantId: string;
  readonly level: Level;
  /** Epoch milliseconds, [from, to). */
  readonly from: number;
  readonly to: number;
  readonly by?: readonly Key[];
  /** Told apart by stretches of this length besides. */
  readonly bucketMs?: number;
  readonly servers?: readonly string[];
  readonly tool?: string;
  readonly caller?: string;
  /** The groups with the most calls; all of them unless told. */
  readonly limit?: number;
};

export type Statement = { readonly text: string; readonly values: readonly unknown[] };

const CAMEL: Readonly<Record<string, string>> = {
  ...{ reached_failures: "reachedFailures", held_back: "heldBack", cache_hits: "cacheHits", total_ms: "totalMs" },
  ...{ upstream_ms: "upstreamMs", queue_ms: "queueMs", policy_ms: "policyMs", audit_ms: "auditMs" },
  ...{ outcome_ms: "outcomeMs", min_ms: "minMs", max_ms: "maxMs" },
};
const OUT = SUMS.map(([name]) => `s.${name}::float8 as "${CAMEL[name] ?? name}"`).join(", ");
const COLUMNS = SUMS.map(([name]) => name).join(", ");
const KEYS: readonly Key[] = ["server", "tool", "caller"];

/**
 * Sums and percentiles of each group. With a limit, groups are found first by their calls alone: the arrays of all others
 * stay where they are. Groups get a number, because to add up hundreds of thousands of buckets by text takes several times
 * as long.
 */
export function figuresSql(query: FiguresQuery, segments: readonly Segment[]): Statement {
  const parts = new Parts(query, segments);
  const { by = [] } = query;
  const keys = [...(query.bucketMs === undefined ? [] : ["bucket"]), ...by];
  const list = keys.join(", ");
  const group = keys.length === 0 ? "" : `group by ${list}`;
  const same = (left: string, right: string) =>
    keys.map((key) => `${left}.${key} = ${right}.${key}`).join(" and ") || "true";
  const top =
    query.limit === undefined || keys.length === 0
      ? ""
      : `top as materialized (select ${list} from (select ${list}, sum(calls) as n from (${parts.all()}) as r ${group}
        order by n desc, ${list} limit ${Math.trunc(query.limit)}) as most), `;
  const rows = top === "" ? `(${parts.all()}) as r` : limitedRows(query, parts, same("r", "top"));
  const text = `with ${top}named as materialized (
      select ${keys.map((key) => `r.${key}, `).join("")}caller_name, ${COLUMNS}, buckets, counts from ${rows}
    ), s as materialized (
      select row_number() over () as g, * from (
        select ${keys.map((key) => `${key}, `).join("")}max(caller_name) as caller_name,
          ${SUMS.map(([name, sum]) => `${sum} as ${name}`).join(", ")}
        from named ${group} having count(*) > 0) as groups
    ), durations as (
      select g, b, sum(n)::float8 as n
      from (select s.g, unnest(named.buckets) as b, unnest(named.counts) as n
        from named join s on ${same("named", "s")}) as each
      group by g, b
    ), ranked as (
      select g, b, sum(n) over (partition by g order by b) as upto, sum(n) over (partition by g) as total from durations
    ), p as (
      select g, ${[0.5, 0.95, 0.99].map(percentileSql).join(", ")} from ranked group by g
    )
    select ${query.bucketMs === undefined ? "0::float8" : "(extract(epoch from s.bucket) * 1000)::float8"} as bucket,
      ${KEYS.map((key) => `${by.includes(key) ? `s.${key}` : "''"} as ${key}`).join(", ")}, s.caller_name as "callerName",
      ${OUT}, ${["p50", "p95", "p99"].map(withinRange).join(", ")}
    from s left join p using (g) order by s.calls desc${keys.map((key) => `, s.${key}`).join("")}`;
  return { text, values: parts.values };
}

/** The rows of the groups that were found: looked up one by one where they are few among many, as tools are. */
function limitedRows({ by = [], bucketMs }: FiguresQuery, parts: Parts, same: string): string {
  const isTool = bucketMs === undefined && by.includes("server") && by.includes("tool");
  return isTool
    ? `top cross join lateral (${parts.all("and server = top.server and tool = top.tool")}) as r`
    : `(${parts.all()}) as r join top on ${same}`;
}

/** Where a group's rows are. */
export type Place = Pick<Record<Key, string>, "server" | "tool">;

/**
 * How often calls ended with which code. Nearly all rows have none, and are let go of before anything is done to them. The
 * rows of given tools are looked up one by one, without reading those of all others.
 */
export function errorsSql(query: FiguresQuery, segments: readonly Segment[], among?: readonly Place[]): Statement {
  const parts = new Parts(query, segments);
  const { by = [] } = query;
  const keys = KEYS.map((key) => `${by.includes(key) ? `r.${key}` : "''"} as ${key}`).join(", ");
  const rows =
    among === undefined
      ? `(${parts.all("and error_codes <> '{}'")}) as r`
      : `unnest(${parts.given(among.map(({ server }) => server))}::text[], ${parts.given(among.map(({ tool }) => tool))}::text[])
          as place(server, tool)
        cross join lateral (${parts.all("and server = place.server and tool = place.tool and error_codes <> '{}'")}) as r`;
  const text = `select server, tool, caller, code, sum(n)::float8 as count
      from (select ${keys}, unnest(error_codes) as code, unnest(error_counts) as n from ${rows}) as named
      group by server, tool, caller, code order by count desc, code, server, tool, caller limit 5000`;
  return { text, values: parts.values };
}

/** Callers told apart by server, and how many of them had a call that failed, was held back or took too long. */
export function callersSql(query: FiguresQuery, segments: readonly Segment[], slowMs: number): Statement {
  const parts = new Parts({ ...query, level: "caller" }, segments);
  const isHit = `failures > 0 or held_back > 0 or max_ms >= ${parts.given(slowMs)}::float8`;
  const text = `select coalesce(server, '') as server, count(*)::float8 as callers,
        count(*) filter (where hit)::float8 as "callersHit"
      from (select server, caller, grouping(server) as whole, bool_or(${isHit}) as hit
        from (${parts.all()}) as r group by grouping sets ((server, caller), (caller))) as each
      where whole = 1 or server <> '' group by server, whole`;
  return { text, values: parts.values };
}

/** Nearest rank: the lowest bucket below or in which that share of all durations lies. */
const percentileSql = (p: number): string =>
  `call_bucket_ms(min(b) filter (where upto >= ceil(${p} * total))::int) as p${p * 100}`;

/** The middle of a bucket may lie outside of what was measured; the answer does not. */
const withinRange = (name: string): string => `least(greatest(p.${name}, s.min_ms), s.max_ms) as ${name}`;

const TABLES: Readonly<Record<Resolution, string>> = { minute: "call_minutes", hour: "call_hours", day: "call_days" };

/** The rows themselves, out of as many tables as the time is spread over. Values are bound once, however often they are used. */
class Parts {
  readonly values: unknown[] = [];
  private readonly selects: readonly ((narrow: string) => string)[];

  constructor({ tenantId, level, servers, tool, caller, bucketMs }: FiguresQuery, segments: readonly Segment[]) {
    const tenant = this.given(tenantId);
    const narrowed = [
      // So by definition; said, it leads to the rows of these servers instead of all of that time.
      level === "server" && servers !== undefined ? "and tool = ''" : "",
      servers === undefined ? "" : `and server = any(${this.given([...servers])}::text[])`,
      tool === undefined ? "" : `and tool = ${this.given(tool)}::text`,
      caller === undefined ? "" : `and caller = ${this.given(caller)}::text`,
    ].join(" ");
    const bucket =
      bucketMs === undefined
        ? ""
        : `, date_bin('${Math.trunc(bucketMs)} milliseconds', at, timestamptz 'epoch') as bucket`;
    this.selects = segments.map(({ resolution, from, to }) => {
      const [start, end] = [from, to].map((time) => `${this.given(new Date(time).toISOString())}::timestamptz`);
      return (narrow) => `select *${bucket} from ${TABLES[resolution]} where tenant_id = ${tenant}::uuid
        and level = ${LEVEL[level]} and at >= ${start} and at < ${end} ${narrowed} ${narrow}`;
    });
  }

  given(value: unknown): string {
    return `$${this.values.push(value)}`;
  }

  all(narrow = ""): string {
    return this.selects.map((select) => select(narrow)).join(" union all ");
  }
}
