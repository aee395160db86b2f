import { LRUCache } from "lru-cache";
import pg, { type Pool, type PoolClient } from "pg";
import { sameBytes, type Tip } from "@/lib/audit/chain";
import type { AppendedEntry } from "@/lib/audit/entry";
import { type LinkedRows, writeRows } from "@/lib/audit/entry-rows";
import type { PreparedEntry } from "@/lib/audit/prepare-entry";
import type { Batch, BatchFault, SequencerStore } from "@/lib/audit/sequencer";
import { APPEND, APPEND_IF_FREE, lockHead, type RunSql, rowTypeOid, writeBatch } from "@/lib/audit/write-batch";
import { isAppError } from "@/lib/core/errors";
import { pool } from "@/lib/db/client";
import { isUnsent } from "@/lib/db/lost-connection";
import { oneTrip, sharedTrip, type TripStep, type TripValue } from "@/lib/db/one-trip";
import { tenantSql } from "@/lib/db/sql";

/** A batch that has not ended by now never will: the connection is cut, so that the next batch gets a new one. */
const STUCK_MS = 15_000;

const FIND = `select event_id::text as event_id, seq::text as seq, encode(hash, 'hex') as hash
  from audit_entries where tenant_id = $1::uuid and event_id = any($2::uuid[])`;

const runOn =
  (client: PoolClient): RunSql =>
  async ({ name, text }, values) =>
    (await client.query({ name, text, values: [...values] })).rows;

/** Where a chain stood after our last batch. `ours`: nobody else had written between our last two. */
type Head = { readonly tip: Tip; readonly ours: boolean };

/** Kept with the pool, because another database has other heads and another number for the type. */
type Known = { readonly pool: Pool; readonly typeOid: number; readonly heads: LRUCache<string, Head> };
let known: Known | null = null;

/** The trail's own transactions. */
export const trailStore: SequencerStore = {
  write,
  writeTogether,
  writeMissing,
  faultOf,
};

/**
 * Writes in one round trip where the head is most likely still where we left it; the statement itself makes sure of it.
 * Otherwise, and whenever anything was unusual, the head is locked and read first.
 */
async function write(tenantId: string, entries: readonly PreparedEntry[]): Promise<readonly AppendedEntry[]> {
  const { heads, typeOid } = await ourKnowledge(tenantId);
  const last = heads.get(tenantId);
  try {
    const { head, appended } = await append(tenantId, typeOid, last, entries);
    heads.set(tenantId, head);
    return appended;
  } catch (cause) {
    // Nobody knows where the chain stands now. (Only then: this cache pays for losing its last entry with its whole size.)
    heads.delete(tenantId);
    throw cause;
  }
}

type Written = { readonly head: Head; readonly appended: readonly AppendedEntry[] };

async function append(
  tenantId: string,
  typeOid: number,
  last: Head | undefined,
  entries: readonly PreparedEntry[],
): Promise<Written> {
  if (last?.ours === true) {
    const linked = await appendAtHead(tenantId, typeOid, last.tip, entries);
    if (linked !== null) return { head: { tip: linked.tip, ours: true }, appended: linked.appended };
  }
  const locked = await withoutHanging(tenantId, (client) => writeBatch(runOn(client), tenantId, entries));
  const ours = last === undefined || isSame(last.tip, locked.before);
  return { head: { tip: locked.tip, ours }, appended: locked.appended };
}

const isSame = (left: Tip, right: Tip): boolean => left.seq === right.seq && sameBytes(left.hash, right.hash);

/** Null when the head is another one by now, and so nothing was written. */
async function appendAtHead(
  tenantId: string,
  typeOid: number,
  before: Tip,
  entries: readonly PreparedEntry[],
): Promise<LinkedRows | null> {
  const appending = makeAppending(typeOid, before, entries, tenantId);
  const written = await withoutStall((taken) => oneTrip(tenantId, APPEND, appending.values, taken));
  return appending.linked(written);
}

/**
 * One transaction and one commit for the batches of several tenants, each in its own tenant. A head that was moved, or that
 * somebody else holds, keeps nobody waiting: nothing is written of that batch.
 */
async function writeTogether(batches: readonly Batch[]): Promise<readonly (readonly AppendedEntry[] | null)[]> {
  const { heads, typeOid } = await ourKnowledge(batches[0]?.tenantId ?? "");
  const trips = batches.flatMap(({ tenantId, entries }) => {
    const head = heads.get(tenantId);
    return head?.ours === true
      ? [{ tenantId, tip: head.tip, ...makeAppending(typeOid, head.tip, entries, tenantId) }]
      : [];
  });
  const steps = trips.map(({ tenantId, values }): TripStep => ({ tenantId, statement: APPEND_IF_FREE, values }));
  if (steps.length === 0) return batches.map(() => null);
  try {
    const written = await withoutStall((taken) => sharedTrip(steps, taken));
    const appended = new Map<string, readonly AppendedEntry[]>();
    for (const [index, { tenantId, tip, linked }] of trips.entries()) {
      const rows = linked(written[index] ?? null);
      heads.set(tenantId, rows === null ? { tip, ours: false } : { tip: rows.tip, ours: true });
      if (rows !== null) appended.set(tenantId, rows.appended);
    }
    return batches.map(({ tenantId }) => appended.get(tenantId) ?? null);
  } catch (cause) {
    for (const { tenantId } of trips) heads.delete(tenantId);
    throw cause;
  }
}

/**
 * The lost transaction may still wait for this head, or for its commit: with the head locked it has ended, and is seen. One
 * that reaches the database later is linked to a head that we have moved.
 */
async function writeMissing(tenantId: string, entries: readonly PreparedEntry[]): Promise<readonly AppendedEntry[]> {
  const { heads } = await ourKnowledge(tenantId);
  heads.delete(tenantId);
  return withoutHanging(tenantId, async (client) => {
    await lockHead(runOn(client), tenantId);
    const found = await find(client, tenantId, entries);
    const missing = entries.filter(({ eventId }) => !found.has(eventId));
    const written = missing.length === 0 ? [] : (await writeBatch(runOn(client), tenantId, missing)).appended;
    for (const appended of written) found.set(appended.eventId, appended);
    return entries.map(({ eventId }) => found.get(eventId) as AppendedEntry);
  });
}

async function find(
  client: PoolClient,
  tenantId: string,
  entries: readonly PreparedEntry[],
): Promise<Map<string, AppendedEntry>> {
  const ids = entries.map(({ eventId }) => eventId);
  const { rows } = await client.query<{ event_id: string; seq: string; hash: string }>(FIND, [tenantId, ids]);
  return new Map(
    rows.map(({ event_id: eventId, seq, hash }) => [eventId, { tenantId, eventId, seq: Number(seq), hash }]),
  );
}

/** What appending after `before` sends, and what it has written, given the statement's answer; null when nothing. */
function makeAppending(typeOid: number, before: Tip, entries: readonly PreparedEntry[], tenantId: string) {
  let rows: LinkedRows | null = null;
  const values: TripValue[] = [
    tenantId,
    String(before.seq),
    before.hash,
    (out) => {
      rows = writeRows(out, typeOid, before, entries);
    },
    String(before.seq + entries.length),
    (out) => out.hex(rows?.appended.at(-1)?.hash ?? ""),
  ];
  return { values, linked: (written: string | null) => (Number(written) === entries.length ? rows : null) };
}

/** Cuts the connection of a trip that does not end. */
async function withoutStall<T>(run: (taken: (client: PoolClient) => void) => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await run((client) => {
      timer = setTimeout(() => cut(client), STUCK_MS).unref();
    });
  } finally {
    clearTimeout(timer);
  }
}

async function ourKnowledge(tenantId: string): Promise<Known> {
  if (known?.pool === pool()) return known;
  const typeOid = await withoutHanging(tenantId, (client) => rowTypeOid(runOn(client)));
  known = { pool: pool(), typeOid, heads: new LRUCache({ max: 10_000 }) };
  return known;
}

function withoutHanging<T>(tenantId: string, run: (client: PoolClient) => Promise<T>): Promise<T> {
  return withoutStall((taken) =>
    tenantSql(tenantId, (client) => {
      taken(client);
      return run(client);
    }),
  );
}

function cut(client: PoolClient): void {
  // Ending a client in the middle of a query destroys its socket, which fails the query.
  if (client instanceof pg.Client) void client.end();
}

/** Verdicts that are no fault of what was sent: locks, and statements that took too long. */
const RETRYABLE = new Set(["40001", "40P01", "55P03", "57014"]);

const UNIQUE_VIOLATION = "23505";
/** The index by call of one month (migration 15). */
const ONE_OUTCOME = /_call_idx(?:_new)?$/;

function faultOf(cause: unknown): BatchFault {
  if (isUnsent(cause)) return "away";
  if (isAppError(cause)) return cause.code === "unavailable" ? "lost" : "broken";
  const state = sqlState(cause);
  if (state === null) return "lost";
  if (RETRYABLE.has(state)) return "away";
  if (state === UNIQUE_VIOLATION && ONE_OUTCOME.test((cause as pg.DatabaseError).constraint ?? "")) return "second";
  return state.startsWith("22") || state.startsWith("23") ? "poisoned" : "broken";
}

/** The SQLSTATE of a failure; null when PostgreSQL gave no verdict, so that the commit is in doubt. */
function sqlState(cause: unknown): string | null {
  const code = typeof cause === "object" && cause !== null ? (cause as { code?: unknown }).code : undefined;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith("08") ? code : null;
}
