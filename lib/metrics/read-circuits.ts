import type { TenantTx } from "@/lib/db/in-tenant";
import { defineRead } from "@/lib/db/verbs";
import { type StoredChange, timelineOf } from "@/lib/metrics/circuit-bands";
import { type CircuitsView, type CircuitTimeline, circuitsInput } from "@/lib/metrics/schemas";
import { windowOf } from "@/lib/metrics/window";

const MAX_CHANGES = 20_000;

type Row = StoredChange & { readonly server: string; readonly tool: string };
const COLUMNS = `server, tool, (extract(epoch from at) * 1000)::float8 as at, state, reason, by`;

// How each stood when the time began, and what happened within it: the newest, should there be too many.
const CHANGES = `select * from (
    (select distinct on (server, tool) ${COLUMNS}, id from circuit_changes
      where tenant_id = $1::uuid and at < $2::timestamptz and ($4::text is null or server = $4::text)
      order by server, tool, circuit_changes.at desc, id desc)
    union all
    (select ${COLUMNS}, id from circuit_changes
      where tenant_id = $1::uuid and at >= $2::timestamptz and at < $3::timestamptz
        and ($4::text is null or server = $4::text)
      order by circuit_changes.at desc limit ${MAX_CHANGES})
  ) as found order by server, tool, at, id`;

/** How the circuits of servers stood over time, and why. */
export const readCircuits = defineRead({
  permission: "metrics:read",
  input: circuitsInput,
  run: async (tx, ctx, { server, ...asked }): Promise<CircuitsView> => {
    const now = Date.now();
    const { from, to: until } = windowOf(asked, now);
    // Nobody knows how it will stand.
    const to = Math.max(from, Math.min(until, now));
    const changes = await readChanges(tx, ctx.tenantId, { from, to }, server ?? null);
    return {
      ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
      circuits: toTimelines(changes, { from, to }, server ?? null),
    };
  },
});

type Window = { readonly from: number; readonly to: number };

async function readChanges(
  tx: TenantTx,
  tenantId: string,
  { from, to }: Window,
  server: string | null,
): Promise<readonly Row[]> {
  const [start, end] = [from, to].map((time) => new Date(time).toISOString());
  return tx.$queryRawUnsafe<Row[]>(CHANGES, tenantId, start, end, server);
}

function toTimelines(changes: readonly Row[], window: Window, server: string | null): readonly CircuitTimeline[] {
  const groups = new Map<string, Row[]>();
  // A server that was asked for is answered, also when nothing ever happened to its circuit.
  if (server !== null) groups.set(`${server}/`, []);
  for (const change of changes) {
    const key = `${change.server}/${change.tool}`;
    groups.set(key, [...(groups.get(key) ?? []), change]);
  }
  return [...groups].map(([key, own]) => {
    const slash = key.indexOf("/");
    const tool = key.slice(slash + 1);
    return { server: key.slice(0, slash), tool: tool === "" ? null : tool, ...timelineOf(own, window) };
  });
}
