import type { EntryDraft } from "@/lib/audit/entry";
import { gatewayId } from "@/lib/audit/gateway-identity";
import { trail } from "@/lib/audit/trail";
import { bus } from "@/lib/core/bus";
import { type Clock, steadyClock } from "@/lib/core/clock";
import { AppError } from "@/lib/core/errors";
import type { Leaving } from "@/lib/core/leaving";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import type { Soon } from "@/lib/core/soon";
import type { Grant } from "@/lib/gateway/authorize";
import { type Admitted, Cell, type OnChange } from "@/lib/gateway/circuit-cell";
import { changeEntry, reasonOf } from "@/lib/gateway/circuit-entries";
import { type HeldView, toView } from "@/lib/gateway/circuit-view";
import { cellsOf, HeldCircuits } from "@/lib/gateway/held-circuits";
import { aloneStore, type CircuitStore, redisStore } from "@/lib/gateway/shared-state/circuit-store";
import { stoppedByAdmin } from "@/lib/gateway/stopped-by-admin";
import { type CircuitChange, recordCircuitChange } from "@/lib/metrics/circuit-history";
import { type CircuitState, retryAfterMs, type Vote } from "@/lib/resilience/circuit";
import type { Leave, SeatFigures, Seats } from "@/lib/resilience/seats";
import type { PoolLimits, RegisteredServer } from "@/lib/servers/registered-server";
import { serverForTrial } from "@/lib/servers/registry";

declare const proof: unique symbol;

/** Proof that the server's circuit let this call through. Must be left, with what the call says of the server. */
export type Passage = {
  readonly grant: Grant;
  readonly circuitState: CircuitState["kind"];
  /** How long the call waited for a place. The server's own time begins afterwards: a queue is no fault of the server. */
  readonly waitedMs: number;
  /**
   * Only the first vote counts, and of one fault (the same object) that ended several calls only the first call's. `tookMs`:
   * of the server's own; all since the call was let through where nobody says.
   */
  readonly leave: (vote: Vote, fault?: AppError, tookMs?: number) => void;
  readonly [proof]: "passage";
};

export type Circuits = {
  /** Throws `circuit_open` or `overloaded`. A promise only where a place or a trial has to be waited for. */
  readonly enter: (grant: Grant, signal?: Leaving) => Passage | Promise<Passage>;
  readonly views: (tenantId: string) => Map<string, HeldView>;
  /** Places taken and waited for, by server slug. */
  readonly seats: (tenantId: string) => Map<string, SeatFigures & PoolLimits>;
  /** Puts into force what was decided about these servers, before their next call. */
  readonly review: (servers: Iterable<RegisteredServer>) => void;
  readonly close: () => void;
};

export type CircuitsOptions = {
  readonly store?: CircuitStore;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** A server as it stands now, whatever its status; null where it is gone. Without it, none ever is. */
  readonly find?: (tenantId: string, id: string) => Promise<RegisteredServer | null>;
  /** Where openings and closings are recorded. */
  readonly record?: (draft: EntryDraft) => Promise<unknown>;
  /** Where every change of state is noted, trials included. */
  readonly note?: (change: CircuitChange) => void;
};

/** The longest that another process's opening may stay unnoticed when its announcement is lost. */
const LOOK_EVERY_MS = 500;
const IN_USE_MS = 60_000;
/** How often servers are read whose change nobody may have told us: calls read them anyway, so this is for those that get none. */
const READ_ANEW_EVERY_MS = 600_000;

/** One circuit per tenant and server, or tool where configured: one tenant's calls are no other tenant's matter. */
export function makeCircuits(options: CircuitsOptions = {}): Circuits {
  const {
    store = aloneStore,
    clock = steadyClock,
    random = Math.random,
    record = async () => undefined,
    note,
    find,
  } = options;
  const look = lookInto(store);

  const onChange: OnChange = (cell, policy, from, to) => {
    const { name, key } = cell;
    bus.publish({ topic: "circuit.changed", tenantId: name.tenantId, circuit: key });
    const { tenantId, slug, tool } = name;
    const reason = reasonOf(policy, to, cell.lastFailure(), clock.now());
    const process = store.isShared() ? null : gatewayId();
    note?.({ tenantId, server: slug, tool, state: to.kind, reason, process });
    const entry = changeEntry(name, from, to, reason);
    const warn = (cause: unknown) => logger.error({ err: cause, circuit: key }, "a circuit's change was not recorded");
    if (entry !== null) record(entry).catch(warn);
  };

  function cellOf({ tenantId, id, slug, version, circuit }: RegisteredServer, tool: string | null): Cell {
    const name = { tenantId, serverId: id, slug, tool };
    const key = `${tenantId}:${id}:${version.slice(0, 16)}:${circuit.generation}:${tool ?? ""}`;
    const cell = new Cell({ name, key, store, clock, random, onChange });
    // The others may hold it open already.
    look([cell]);
    return cell;
  }

  const held: HeldCircuits = new HeldCircuits(cellOf);
  const stopLooking = keepInStep(store, clock, held);

  function review(servers: Iterable<RegisteredServer>): void {
    for (const server of servers) for (const cell of cellsOf(held.of(server))) cell.override(server.circuit.override);
  }

  const stopFollowing = followServers(held, find, review);

  return {
    enter(grant, signal) {
      const its = held.of(grant.server);
      return enterThrough({ grant, cell: held.cellFor(its, grant), seats: its.seats, clock }, signal);
    },
    views: (tenantId) => new Map(held.in(tenantId).map((each) => [each.server.slug, toView(each, clock.now())])),
    seats: (tenantId) =>
      new Map(held.in(tenantId).map(({ server, seats }) => [server.slug, { ...server.pool, ...seats.figures() }])),
    review,
    close() {
      stopLooking();
      stopFollowing();
    },
  };
}

type Way = { readonly grant: Grant; readonly cell: Cell; readonly seats: Seats; readonly clock: Clock };

/** A place first, then the circuit: a trial must not sit in the queue. */
function enterThrough(way: Way, signal: Leaving | undefined): Passage | Promise<Passage> {
  const { grant, cell, seats, clock } = way;
  const { circuit, deadlineMs } = grant.server;
  // Before a place is taken or waited for: who is refused must not hold up others.
  if (cell.refuses(circuit.policy, circuit.override)) throw circuitOpen(grant, cell.current(), clock.now());
  // As long as one call may take: behind a server that hangs a place becomes free by then.
  const seat = seats.enter(deadlineMs, signal);
  if (seat === null) throw overloaded(grant);
  if (!(seat instanceof Promise)) return passCircuit(way, seat, 0);
  const since = clock.now();
  return seat.then((exit) => {
    if (exit === "cancelled") throw new AppError("cancelled", "The caller cancelled the call.");
    if (exit === "timeout") throw overloaded(grant);
    return passCircuit(way, exit, clock.now() - since);
  });
}

function passCircuit(way: Way, exit: Leave, waitedMs: number): Passage | Promise<Passage> {
  const { grant, cell, clock } = way;
  const pass = (admitted: Admitted | null): Passage => {
    if (admitted !== null) return passage(way, admitted, exit, waitedMs);
    exit();
    throw circuitOpen(grant, cell.current(), clock.now());
  };
  const giveBack = (cause: unknown): never => {
    exit();
    throw cause;
  };
  let admitted: Soon<Admitted | null>;
  try {
    admitted = cell.enter(grant.server.circuit.policy);
  } catch (cause) {
    return giveBack(cause);
  }
  return admitted instanceof Promise ? admitted.then(pass, giveBack) : pass(admitted);
}

function passage({ grant, cell, clock }: Way, { kind, ticket }: Admitted, exit: Leave, waitedMs: number): Passage {
  const since = clock.now();
  let left = false;
  return {
    grant,
    circuitState: kind,
    waitedMs,
    leave(vote, fault, tookMs = clock.now() - since) {
      if (left) return;
      left = true;
      exit();
      cell.leave(grant.server.circuit.policy, ticket, { vote, tookMs }, fault);
    },
  } as Passage;
}

/** Puts what was decided about a server into force before its next call, and forgets one that was retired. */
function followServers(held: HeldCircuits, find: CircuitsOptions["find"], review: Circuits["review"]): () => void {
  async function follow(tenantId: string, id: string): Promise<void> {
    if (find === undefined || !held.has(tenantId, id)) return;
    const server = await find(tenantId, id);
    if (server === null) held.forget(tenantId, id);
    else review([server]);
  }
  const warn = (cause: unknown) => logger.warn({ err: cause }, "a changed server could not be read");
  async function followAll(): Promise<void> {
    // One after the other: nobody waits for them.
    for (const { server } of held.all()) await follow(server.tenantId, server.id).catch(warn);
  }
  let isReading = false;
  const timer = setInterval(() => {
    if (isReading) return;
    isReading = true;
    void followAll().finally(() => {
      isReading = false;
    });
  }, READ_ANEW_EVERY_MS).unref();
  const unsubscribe = bus.subscribe((message) => {
    if (message.topic === "server.changed") follow(message.tenantId, message.serverId).catch(warn);
  });
  return () => {
    unsubscribe();
    clearInterval(timer);
  };
}

/** Compares circuits with what other processes stored of them. */
const lookInto =
  (store: CircuitStore) =>
  (cells: readonly Cell[]): void => {
    if (cells.length === 0 || !store.isShared()) return;
    const compare = (states: readonly (CircuitState | null)[] | null) => {
      for (const [index, cell] of cells.entries()) if (states !== null) cell.reconcile(states[index] ?? null);
    };
    const warn = (cause: unknown) => logger.warn({ err: cause }, "circuits could not be compared");
    store
      .read(cells.map(({ key }) => key))
      .then(compare)
      .catch(warn);
  };

/** Follows what other processes store: at once when it is announced, and by looking now and then. */
function keepInStep(store: CircuitStore, clock: Clock, held: HeldCircuits): () => void {
  const look = lookInto(store);

  const unsubscribe = bus.subscribe((message) => {
    if (message.topic !== "circuit.changed") return;
    const cells = held
      .in(message.tenantId)
      .flatMap(cellsOf)
      .filter(({ key }) => key === message.circuit);
    look(cells);
  });
  const timer = setInterval(() => {
    if (!store.isShared()) return;
    const cells = held.all().flatMap(cellsOf);
    const since = clock.now() - IN_USE_MS;
    look(cells.filter((cell) => cell.usedAt() >= since || cell.hasChanged()));
  }, LOOK_EVERY_MS).unref();
  return () => {
    unsubscribe();
    clearInterval(timer);
  };
}

function circuitOpen({ ref }: Grant, state: CircuitState, now: number): AppError {
  const wait = retryAfterMs(state, now);
  if (wait === null) return stoppedByAdmin(ref.server);
  const text = `The server ${ref.server} has failed repeatedly and is left alone for now. Try again in ${Math.ceil(wait / 1_000)} s.`;
  return new AppError("circuit_open", text, { retryAfterMs: wait, state: state.kind });
}

const overloaded = ({ ref }: Grant): AppError =>
  new AppError("overloaded", `Too many calls to the server ${ref.server} are in flight. Try again shortly.`, {
    retryAfterMs: 1_000,
  });

/** The circuits of this process. */
export const circuits = (): Circuits =>
  singleton("gateway.circuits", () =>
    makeCircuits({
      store: redisStore,
      find: serverForTrial,
      record: (draft) => trail().append(draft),
      note: recordCircuitChange,
    }),
  );

/** The circuit of each server that was called, by slug. */
export const circuitViews = (tenantId: string): Map<string, HeldView> => circuits().views(tenantId);
