import "server-only";
import { type Subject, serverSubject } from "@/lib/alerts/rules";
import type { Watch } from "@/lib/alerts/schemas";
import { SIGNAL_MS } from "@/lib/alerts/signals";
import type { RawTx } from "@/lib/db/sql";

/** Something a watch finds not as it should be. */
export type WatchedFact = { readonly subject: Subject; readonly since: number; readonly reason: string };
type Found = readonly WatchedFact[];
type Read = (tx: RawTx, tenantId: string, now: number) => Promise<Found>;

/** What each watch is found broken for, now. A watch without facts is well. */
export async function readWatched(
  tx: RawTx,
  tenantId: string,
  now: number,
  watches: readonly Watch[],
): Promise<ReadonlyMap<Watch, Found>> {
  const found = new Map<Watch, Found>();
  for (const watch of watches) found.set(watch, await READS[watch](tx, tenantId, now));
  return found;
}

type Told = { readonly since: Date; readonly reason: string };

const OPENED = `
  select distinct on (g.server, g.tool) g.server, g.tool, g.since, g.reason
    from alert_signals g join servers s on s.tenant_id = g.tenant_id and s.slug = g.server
   where g.tenant_id = $1::uuid and g.watch = 'circuit_open' and g.seen_at > $2::timestamptz
     and s.status = 'enabled' and s.circuit_override is null and s.circuit_generation = g.generation
   order by g.server, g.tool, g.since`;
const HELD_OPEN = `
  select slug from servers
   where tenant_id = $1::uuid and status = 'enabled' and circuit_override = 'forced-open' order by slug`;

/** Of several processes that tell of the same, the one that saw it first. A circuit that was begun anew is another one. */
const openCircuitsTold: Read = async (tx, tenantId, now) => {
  const rows = await tx.$queryRawUnsafe<(Told & { server: string; tool: string })[]>(
    OPENED,
    tenantId,
    new Date(now - SIGNAL_MS),
  );
  const opened = rows.map(({ server, tool, since, reason }) => ({
    ...{ subject: serverSubject(server, tool === "" ? null : tool), since: since.getTime(), reason },
  }));
  const held = await tx.$queryRawUnsafe<{ slug: string }[]>(HELD_OPEN, tenantId);
  const tripped = held.map(({ slug }) => ({
    subject: serverSubject(slug),
    since: now,
    reason: `A person holds the circuit of ${slug} open. Its calls are refused until somebody closes or resets it.`,
  }));
  return [...opened, ...tripped];
};

const DOWN = `
  select h.since, h.reason, s.slug from server_health h join servers s on s.tenant_id = h.tenant_id and s.id = h.server_id
   where h.tenant_id = $1::uuid and h.status = 'unavailable' and s.status = 'enabled'`;

const serversDown: Read = async (tx, tenantId) => {
  const rows = await tx.$queryRawUnsafe<{ since: Date; reason: string | null; slug: string }[]>(DOWN, tenantId);
  return rows.map(({ since, reason, slug }) => ({
    subject: serverSubject(slug),
    since: since.getTime(),
    reason: `Server ${slug} does not answer when it is asked for its tools${reason === null ? "" : `: ${trimStop(reason)}`}.`,
  }));
};

const FAILING = `
  select since, reason from alert_signals
   where tenant_id = $1::uuid and watch = 'trail_failing' and seen_at > $2::timestamptz order by since limit 1`;

const trailTroubles: Read = async (tx, tenantId, now) => {
  const [row] = await tx.$queryRawUnsafe<Told[]>(FAILING, tenantId, new Date(now - SIGNAL_MS));
  return row === undefined ? [] : [{ subject: TRAIL, since: row.since.getTime(), reason: row.reason }];
};

type Verdict = { readonly verifiedAt: Date; readonly brokenSince: Date; readonly problem: string | null };
const VERDICT = `
  select verified_at as "verifiedAt", broken_since as "brokenSince", problem from audit_verdicts
   where tenant_id = $1::uuid and broken_since is not null`;

const brokenVerdict: Read = async (tx, tenantId) => {
  const [row] = await tx.$queryRawUnsafe<Verdict[]>(VERDICT, tenantId);
  if (row === undefined) return [];
  const reason = `The trail did not verify at ${row.verifiedAt.toISOString()}. ${trimStop(row.problem ?? "")}.`;
  return [{ subject: TRAIL, since: row.brokenSince.getTime(), reason }];
};

const THROWN = `
  select id::text as id, kind, target, reason, thrown_by as "thrownBy", thrown_at as "thrownAt" from kill_switches k
   where tenant_id = $1::uuid and (lifted_at is null or (lifted_at > $2::timestamptz and not exists (
     select from alerts a where a.tenant_id = k.tenant_id and a.watch = 'kill_switch_used' and a.subject = k.id::text)))
   order by thrown_at`;

/** One that was lifted before anybody looked is told all the same, once. */
const switchesThrown: Read = async (tx, tenantId, now) => {
  const lately = new Date(now - SWITCH_TOLD_MS);
  const rows = await tx.$queryRawUnsafe<ThrownRow[]>(THROWN, tenantId, lately);
  return rows.map((row) => ({
    subject: switchSubject(row),
    since: row.thrownAt.getTime(),
    reason: `${row.thrownBy} stopped ${row.kind} ${row.target} by kill switch${row.reason === "" ? "" : `: ${trimStop(row.reason)}`}.`,
  }));
};

const READS: Readonly<Record<Watch, Read>> = {
  circuit_open: openCircuitsTold,
  server_unhealthy: serversDown,
  trail_failing: trailTroubles,
  verification_failed: brokenVerdict,
  kill_switch_used: switchesThrown,
};

const SWITCH_TOLD_MS = 60_000;
const TRAIL: Subject = { key: "trail", server: null, tool: null, target: "the trail" };

type ThrownRow = {
  readonly id: string;
  readonly kind: string;
  readonly target: string;
  readonly reason: string;
  readonly thrownBy: string;
  readonly thrownAt: Date;
};

function switchSubject({ id, kind, target }: ThrownRow): Subject {
  const border = target.indexOf("/");
  const server = kind === "server" ? target : kind === "tool" ? target.slice(0, border) : null;
  const tool = kind === "tool" ? target.slice(border + 1) : null;
  return { key: id, server, tool, target: `${kind} ${target}` };
}

const trimStop = (text: string): string => (text.endsWith(".") ? text.slice(0, -1) : text);
