import "server-only";
import type { Watch } from "@/lib/alerts/schemas";
import { gatewayId } from "@/lib/audit/gateway-identity";
import { type TrailTrouble, troubleTold, untoldTroubles } from "@/lib/audit/trail-trouble";
import { singleton } from "@/lib/core/singleton";
import { platformSql, tenantSql } from "@/lib/db/sql";
import { type OpenCircuit, openCircuits } from "@/lib/servers/circuit-views";

/** What is not told again for so long is no longer so: the process is gone, or what it saw is over. */
export const SIGNAL_MS = 30_000;

type Signal = {
  readonly watch: Watch;
  readonly server: string;
  readonly tool: string;
  readonly generation: number;
  readonly since: number;
  readonly reason: string;
};

/** A signal that rested begins anew. */
const TELL = `insert into alert_signals as s (tenant_id, watch, server, tool, process_id, generation, since, seen_at, reason)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  on conflict (tenant_id, watch, server, tool, process_id) do update set
    since = case when s.seen_at < excluded.seen_at - interval '${SIGNAL_MS} ms' or s.generation <> excluded.generation
      then excluded.since else least(s.since, excluded.since) end,
    generation = excluded.generation, seen_at = excluded.seen_at, reason = excluded.reason`;
/** Circuits of ours that are not open any more, and what processes left behind that are gone. */
const FORGET = `delete from alert_signals where tenant_id = $1
  and (seen_at < $2 or (process_id = $3 and watch = 'circuit_open' and seen_at < $4))`;
const FORGET_AFTER_MS = 3_600_000;

/** Tenants that have signals of this process about circuits. */
const told = singleton("alerts.signals", () => new Set<string>());

/**
 * Tells all processes what only this one can see: circuits it holds open, and entries it could not write. While the
 * database is away it is kept, and told afterwards with when it began and how long it lasted.
 */
export async function tellSignals(now: number): Promise<void> {
  const troubles = new Map(untoldTroubles(now).map((trouble) => [trouble.tenantId, trouble]));
  const { rows } = await platformSql((client) => client.query<{ id: string }>("select id from tenants"));
  for (const { id } of rows) {
    const trouble = troubles.get(id);
    const circuits = openCircuits(id).map((circuit) => circuitSignal(circuit, now));
    if (circuits.length === 0 && trouble === undefined && !told.has(id)) continue;
    await tell(id, trouble === undefined ? circuits : [...circuits, trailSignal(trouble)], now);
    if (circuits.length > 0) told.add(id);
    else told.delete(id);
    if (trouble !== undefined) troubleTold(trouble);
  }
}

async function tell(tenantId: string, signals: readonly Signal[], now: number): Promise<void> {
  await tenantSql(tenantId, async (client) => {
    for (const { watch, server, tool, generation, since, reason } of signals) {
      const seen = [generation, new Date(since), new Date(now), reason];
      await client.query(TELL, [tenantId, watch, server, tool, gatewayId(), ...seen]);
    }
    await client.query(FORGET, [tenantId, new Date(now - FORGET_AFTER_MS), gatewayId(), new Date(now)]);
  });
}

const CAUSES: Readonly<Record<string, string>> = {
  consecutive_failures: "too many calls in a row failed",
  success_rate: "too few calls succeeded",
  slow_rate: "too many calls were slow",
  trial_failed: "a trial call failed",
};

function circuitSignal({ server, tool, generation, cause, lastFailure }: OpenCircuit, now: number): Signal {
  const name = tool === null ? server : `${server}__${tool}`;
  const why = cause === null ? "" : `: ${CAUSES[cause] ?? cause}`;
  const last = lastFailure === null ? "" : `, the last one with ${lastFailure}`;
  const reason = `The circuit of ${name} is open${why}${last}. Its calls are refused until a trial succeeds.`;
  return { watch: "circuit_open", server, tool: tool ?? "", generation, since: now, reason };
}

function trailSignal(trouble: TrailTrouble): Signal {
  const { since, lastAt, refused, slow, longestMs, cause } = trouble;
  const lasted = seconds(lastAt - since);
  const what = [
    ...(refused === 0 ? [] : [`${refused} could not be written, so their calls were refused or not answered`]),
    ...(slow === 0 ? [] : [`${slow} waited up to ${seconds(longestMs)}`]),
  ].join("; ");
  const reason = `Entries of the trail had to wait for ${lasted} from ${new Date(since).toISOString()}: ${cause}. Of them ${what}.`;
  return { watch: "trail_failing", server: "", tool: "", generation: 0, since, reason };
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
