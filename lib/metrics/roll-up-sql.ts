const COUNTED = [
  ...["calls", "successes", "failures", "denied", "cancelled", "unknown", "reached", "reached_failures"],
  ...["held_back", "unavailable", "cache_hits", "queued", "overloaded", "limited"],
] as const;

/** How each column of figures is summed, whatever the group. */
export const SUMS: readonly (readonly [column: string, sum: string])[] = [
  ...COUNTED.map((name) => [name, `sum(${name})::bigint`] as const),
  ...["total_ms", "upstream_ms", "queue_ms", "policy_ms", "audit_ms", "outcome_ms"].map(
    (name) => [name, `sum(${name})`] as const,
  ),
  ["min_ms", "min(min_ms)"],
  ["max_ms", "max(max_ms)"],
];

const KEY = ["level", "at", "server", "tool", "caller"];
const TABLES = { hour: ["call_minutes", "call_hours"], day: ["call_hours", "call_days"] } as const;

/** Adds up two parallel arrays (names and counts) within each group. */
const merged = (name: string, names: string, counts: string): string => `${name} as (
    select ${KEY.join(", ")}, array_agg(name order by name) as names, array_agg(n order by name) as ns
    from (select ${KEY.join(", ")}, name, sum(n)::bigint as n from parts, unnest(${names}, ${counts}) as each(name, n)
      group by ${KEY.join(", ")}, name) as summed
    group by ${KEY.join(", ")})`;

/** Statements that make hours of minutes or days of hours, of one tenant ($1), from ($2) and before ($3) a time. */
export function rollUpSql(unit: "hour" | "day"): { readonly clear: string; readonly fill: string } {
  const [from, into] = TABLES[unit];
  return {
    clear: `delete from ${into} where tenant_id = $1::uuid and at >= $2::timestamptz and at < $3::timestamptz`,
    fill: `with parts as (
        select level, date_trunc('${unit}', at, 'UTC') as at, server, tool, caller, caller_name,
          ${SUMS.map(([column]) => column).join(", ")}, buckets, counts, error_codes, error_counts
        from ${from} where tenant_id = $1::uuid and at >= $2::timestamptz and at < $3::timestamptz
      ), sums as (
        select ${KEY.join(", ")}, max(caller_name) as caller_name, ${SUMS.map(([name, sum]) => `${sum} as ${name}`).join(", ")}
        from parts group by ${KEY.join(", ")}
      ), ${merged("durations", "buckets", "counts")}, ${merged("errors", "error_codes", "error_counts")}
      insert into ${into} (tenant_id, id, ${KEY.join(", ")}, caller_name, ${SUMS.map(([column]) => column).join(", ")},
        buckets, counts, error_codes, error_counts)
      select $1::uuid, gen_random_uuid(), ${KEY.join(", ")}, caller_name, ${SUMS.map(([column]) => column).join(", ")},
        coalesce(d.names, '{}'), coalesce(d.ns, '{}'), coalesce(e.names, '{}'), coalesce(e.ns, '{}')
      from sums left join durations d using (${KEY.join(", ")}) left join errors e using (${KEY.join(", ")})`,
  };
}
