import "server-only";
import { singleton } from "@/lib/core/singleton";
import { platformSql } from "@/lib/db/sql";
import { circuitViews } from "@/lib/gateway/circuits";
import { poolViews } from "@/lib/gateway/pools";
import type { GatewayFigures } from "@/lib/metrics/gateway-source";
import type { PoolView } from "@/lib/servers/schemas";

const TENANTS = "select distinct tenant_id from servers where status = 'enabled' limit 10000";

const COUNTS = ["created", "reused", "exhausted", "refused"] as const;
type Counts = Record<(typeof COUNTS)[number], number>;
const none = (): Counts => ({ created: 0, reused: 0, exhausted: 0, refused: 0 });

/** What each pool said last, and the sum of all growth: a pool that is closed must not make a count go down. */
const grown = singleton("gateway.figures", () => ({ last: new Map<string, Counts>(), total: none() }));

/** Circuits, places and connections of this process, over all tenants. */
export async function readGatewayFigures(): Promise<GatewayFigures> {
  const { rows } = await platformSql((client) => client.query<{ tenant_id: string }>(TENANTS));
  const circuits = new Map<string, number>(STATES.map((state) => [state, 0]));
  const now = { open: 0, inUse: 0, queued: 0 };
  const seen = new Map<string, Counts>();
  for (const { tenant_id: tenantId } of rows) {
    for (const { kind } of circuitViews(tenantId).values()) circuits.set(kind, (circuits.get(kind) ?? 0) + 1);
    for (const [slug, pool] of poolViews(tenantId)) {
      now.open += pool.open;
      now.inUse += pool.inUse;
      now.queued += pool.queued;
      seen.set(`${tenantId}/${slug}`, grow(`${tenantId}/${slug}`, pool));
    }
  }
  grown.last = seen;
  const { created, reused, exhausted, refused } = grown.total;
  return {
    circuits,
    ...{ connectionsOpen: now.open, connectionsCreated: created, connectionsReused: reused },
    ...{ callsInFlight: now.inUse, callsQueued: now.queued, placesExhausted: exhausted, placesRefused: refused },
  };
}

const STATES = ["closed", "open", "half-open", "forced-open", "disabled"] as const;

function grow(key: string, pool: PoolView): Counts {
  const before = grown.last.get(key) ?? none();
  const { created, reused, exhausted, refused } = pool;
  const counts = { created, reused, exhausted, refused };
  for (const name of COUNTS) {
    // One that is smaller than before began anew.
    grown.total[name] += counts[name] >= before[name] ? counts[name] - before[name] : counts[name];
  }
  return counts;
}
