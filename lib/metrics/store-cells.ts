import "server-only";
import { tenantSql } from "@/lib/db/sql";
import { type Cell, LEVEL } from "@/lib/metrics/call-cells";

const COUNTED = [
  ...["calls", "successes", "failures", "denied", "cancelled", "unknown", "reached", "reached_failures"],
  ...["held_back", "unavailable", "cache_hits", "queued", "overloaded", "limited"],
] as const;
const MEASURED = [
  ...["total_ms", "upstream_ms", "queue_ms", "policy_ms", "audit_ms", "outcome_ms", "min_ms", "max_ms"],
] as const;
const LISTED = ["buckets smallint[]", "counts bigint[]", "error_codes text[]", "error_counts bigint[]"] as const;

const VALUES = [
  ...COUNTED.map((name) => `${name} bigint`),
  ...MEASURED.map((name) => `${name} double precision`),
  ...LISTED,
];
const NAMES = ["level", "at", "id", "server", "tool", "caller", "caller_name"];
const nameOf = (column: string): string => column.split(" ")[0] ?? column;
const COLUMNS = [...NAMES, ...VALUES.map(nameOf)];

// A cell replaces what it said before: the same batch may be stored again when its commit went unanswered.
const STORE = {
  name: "metrics_store_cells",
  text: `insert into call_minutes (tenant_id, ${COLUMNS.join(", ")})
    select $1::uuid, ${COLUMNS.map((name) => `cell.${name}`).join(", ")}
    from jsonb_to_recordset($2::jsonb) as cell(level smallint, at timestamptz, id uuid, server text, tool text,
      caller text, caller_name text, ${VALUES.join(", ")})
    on conflict (tenant_id, level, at, id) do update
      set ${VALUES.map(nameOf)
        .map((name) => `${name} = excluded.${name}`)
        .join(", ")}`,
};

const MAX_BATCH = 1_000;

/** Stores cells of one tenant, in one statement for every thousand. All of a batch is stored, or nothing of it. */
export async function storeCells(tenantId: string, cells: readonly Cell[]): Promise<void> {
  for (let from = 0; from < cells.length; from += MAX_BATCH) {
    const batch = cells.slice(from, from + MAX_BATCH);
    // What is counted meanwhile makes a cell dirty again.
    for (const cell of batch) cell.dirty = false;
    const rows = JSON.stringify(batch.map(toRow));
    try {
      await tenantSql(tenantId, (client) => client.query({ ...STORE, values: [tenantId, rows] }));
    } catch (cause) {
      for (const cell of batch) cell.dirty = true;
      throw cause;
    }
  }
}

function toRow(cell: Cell) {
  const none = cell.reached === 0;
  return {
    ...{ level: LEVEL[cell.level], at: `${cell.minute}:00Z`, id: cell.id },
    ...{ server: cell.server, tool: cell.tool, caller: cell.caller, caller_name: cell.callerName },
    ...{ calls: cell.calls, successes: cell.successes, failures: cell.failures, denied: cell.denied },
    ...{ cancelled: cell.cancelled, unknown: cell.unknown, reached: cell.reached },
    ...{ reached_failures: cell.reachedFailures, held_back: cell.heldBack, unavailable: cell.unavailable },
    ...{ cache_hits: cell.cacheHits, queued: cell.queued, overloaded: cell.overloaded, limited: cell.limited },
    ...{ total_ms: cell.totalMs, upstream_ms: cell.upstreamMs, queue_ms: cell.queueMs },
    ...{ policy_ms: cell.policyMs, audit_ms: cell.auditMs, outcome_ms: cell.outcomeMs },
    ...{ min_ms: none ? null : cell.minMs, max_ms: none ? null : cell.maxMs },
    ...{ buckets: [...cell.buckets.keys()], counts: [...cell.buckets.values()] },
    ...{ error_codes: [...cell.errors.keys()], error_counts: [...cell.errors.values()] },
  };
}
