import "server-only";
import type { Socket } from "node:net";
import pg from "pg";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";

/** How long opening a connection, and what it is asked first, may take. */
export const CONNECT_MS = 5_000;
/** A host that is gone is noticed by connections at rest within half a minute, not after the two hours of most systems. */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 } as const;

const TICK_MS = 1_000;
/** Time is counted in turns of ours: a process that was held up itself has heard nothing by its own fault. */
const QUIET_TICKS = 3;
const LOOK_TICKS = 5;
/** Where each end waits for the other, what was said may still be on its way. */
const ON_ITS_WAY_TICKS = 9;

/** The PostgreSQL process behind a connection. */
type Backend = { readonly pid: number; readonly server: string };

type Watched = {
  readonly url: string;
  /** Null behind a pooler, where the process may be another one each time. */
  readonly backend: Backend | null;
  /** Not cut because nothing answers at all: what it holds is still held when the database speaks again. */
  outlasts: boolean;
  bytesRead: number;
  quietTicks: number;
  lookedAt: number;
};

/** What `pg` keeps for itself. Of a TLS connection the stream is another one than at first. */
type Client = pg.Client & {
  readonly readyForQuery: boolean;
  readonly processID: number | null;
  readonly connection: { readonly stream: Socket };
};
type Look = { readonly giveUp: () => void; ticks: number };

const state = singleton("db.silence", () => ({
  watched: new Map<Client, Watched>(),
  timer: null as NodeJS.Timeout | null,
  look: null as Look | null,
}));

const WHO = `select current_setting('transaction_read_only') as "readOnly", pg_backend_pid() as pid,
  extract(epoch from pg_postmaster_start_time())::text as server`;

/**
 * Asks a connection that was just opened who is at its other end, and watches it until it ends. A statement may take as long
 * as it needs, while the database says on another connection that it is at it. One of which nothing is heard is cut
 * otherwise, wherever it was lost: TCP alone would take a quarter of an hour, or for ever where the server hangs.
 */
export async function meet(given: pg.Client, url: string): Promise<{ readonly isWritable: boolean }> {
  const client = given as Client;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(lost("did not say who it is")), CONNECT_MS).unref();
  });
  const asked = client.query<Backend & { readOnly: string }>(WHO);
  const { rows } = await Promise.race([asked, tooLate]).finally(() => clearTimeout(timer));
  const [who] = rows;
  if (who === undefined) throw lost("did not say who it is");
  const backend = who.pid === client.processID ? who : null;
  watch(client, { url, backend, outlasts: false, bytesRead: 0, quietTicks: 0, lookedAt: 0 });
  return { isWritable: who.readOnly === "off" };
}

/** For a connection that nobody waits for and that holds something: it is cut only when it is known to be lost. */
export function outlastSilence(client: pg.Client): void {
  const seen = state.watched.get(client as Client);
  if (seen !== undefined) seen.outlasts = true;
}

function watch(client: Client, seen: Watched): void {
  state.watched.set(client, seen);
  state.timer ??= setInterval(tick, TICK_MS).unref();
  client.on("end", () => {
    state.watched.delete(client);
    if (state.watched.size > 0 || state.timer === null) return;
    clearInterval(state.timer);
    state.timer = null;
  });
}

function tick(): void {
  for (const [client, seen] of state.watched) listen(client, seen);
  if (state.look !== null) {
    state.look.ticks += 1;
    if (state.look.ticks > LOOK_TICKS) state.look.giveUp();
    return;
  }
  for (const seen of state.watched.values()) {
    if (seen.quietTicks - seen.lookedAt >= QUIET_TICKS) return void lookAt(seen.url);
  }
}

/** Counts the turns in which a question was under way and nothing was heard. */
function listen(client: Client, seen: Watched): void {
  const { bytesRead } = client.connection.stream;
  const isQuiet = !client.readyForQuery && bytesRead === seen.bytesRead;
  seen.quietTicks = isQuiet ? seen.quietTicks + 1 : 0;
  if (!isQuiet) seen.lookedAt = 0;
  seen.bytesRead = bytesRead;
}

/** Asks over a connection of its own what is going on, and cuts those that lead nowhere. */
async function lookAt(url: string): Promise<void> {
  const here = [...state.watched].filter(([, seen]) => seen.url === url);
  const before = new Map(here.map(([client]) => [client, client.connection.stream.bytesRead]));
  const pids = here.flatMap(([, { backend }]) => (backend === null ? [] : [backend.pid]));
  const session = new pg.Client({ connectionString: url, application_name: "countersign watch" });
  const giveUp = () => (session as unknown as Client).connection.stream.destroy(lost("does not answer"));
  state.look = { giveUp, ticks: 0 };
  const found = await ask(session, pids).finally(() => {
    state.look = null;
  });
  const silent = here.filter(([client]) => client.connection.stream.bytesRead === before.get(client));
  // Where others are answered meanwhile, the database only takes no new connections.
  const isHeard = silent.length < here.length;
  const cut = silent.filter(([client, seen]) => isLost(client, seen, found === "nothing" && isHeard ? "busy" : found));
  for (const [client] of cut) client.connection.stream.destroy(lost("does not answer"));
  for (const [, seen] of silent) seen.lookedAt = seen.quietTicks;
  if (cut.length > 0) logger.warn({ connections: cut.length }, "connections to the database that led nowhere were cut");
}

/** Which processes of the server there are, and whether they wait for us; `busy` where it gives no session, `nothing` where nobody answers. */
type Found = { readonly server: string; readonly waits: ReadonlyMap<number, boolean> } | "busy" | "nothing";

async function ask(session: pg.Client, pids: readonly number[]): Promise<Found> {
  session.on("error", () => undefined);
  try {
    await session.connect();
    const { rows } = await session.query<{ server: string; pid: number | null; waits: boolean }>(
      `select extract(epoch from pg_postmaster_start_time())::text as server, pid,
              coalesce(wait_event_type = 'Client', false) as waits
         from (select) here left join pg_stat_activity on pid = any($1::int[])`,
      [pids],
    );
    session.end().catch(() => undefined);
    return { server: rows[0]?.server ?? "", waits: new Map(rows.map(({ pid, waits }) => [pid ?? 0, waits])) };
  } catch (cause) {
    (session as unknown as Client).connection.stream.destroy();
    // One that is full, or is starting, says so.
    return cause instanceof pg.DatabaseError ? "busy" : "nothing";
  }
}

function isLost(client: Client, { backend, outlasts, quietTicks }: Watched, found: Found): boolean {
  // Those at rest lead nowhere either: whoever took one next would have to find out again.
  if (found === "nothing") return !outlasts;
  if (found === "busy" || backend === null) return false;
  if (found.server !== backend.server || !found.waits.has(backend.pid)) return true;
  return found.waits.get(backend.pid) === true && !client.readyForQuery && quietTicks >= ON_ITS_WAY_TICKS;
}

/** In words and with a code that say "unavailable" to everybody; whether a commit was among what was lost nobody knows. */
const lost = (why: string): Error => Object.assign(new Error(`The database ${why}.`), { code: "08006" });
