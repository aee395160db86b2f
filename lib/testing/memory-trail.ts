import type { Fate } from "@/lib/audit/backlog";
import type { AppendedEntry } from "@/lib/audit/entry";
import type { PreparedEntry } from "@/lib/audit/prepare-entry";
import { type Batch, type BatchFault, EntrySequencer, type SequencerLimits } from "@/lib/audit/sequencer";

export const LIMITS: SequencerLimits = {
  maxBatch: 10,
  maxBatchBytes: 10_000,
  enough: 1_000,
  maxQueued: 50,
  maxQueuedBytes: 100_000,
  maxParallel: 2,
  maxTogether: 3,
  maxWaitMs: 1000,
  retryMs: 50,
};

/** An entry of which a sequencer knows no more than this. */
export const queuedEntry = (id: string, tenantId = "a", bytes = 100): PreparedEntry =>
  ({ tenantId, eventId: id, bytes, draft: {}, payload: null }) as unknown as PreparedEntry;

const FAULTY = /^(?:poisoned|second)/;

class Fault extends Error {
  readonly fault: BatchFault;
  constructor(fault: BatchFault) {
    super(fault);
    this.fault = fault;
  }
}

/** A trail in memory that can be down, can lose the answer of a commit, and refuses entries whose id says `poisoned` or `second`. */
export function memoryStore() {
  const rows = new Map<string, AppendedEntry[]>();
  /** All that was ever written, in its order. */
  const written: PreparedEntry[] = [];
  const state = {
    down: false,
    loseAnswers: 0,
    /** How many batches get lost on their way; nobody can tell them from those whose answer was. */
    loseRequests: 0,
    hang: null as Promise<void> | null,
    writes: 0,
    parallel: 0,
    peak: 0,
    /** How often entries in doubt were looked up. */
    looks: 0,
    /** What batches that are written alone wait for. */
    hangAlone: null as Promise<void> | null,
    /** Tenants of each transaction that more than one shared. */
    shared: [] as string[][],
    /** Tenants whose batches have to be written alone. */
    loners: new Set<string>(),
  };
  const rowsOf = (tenantId: string) => rows.get(tenantId) ?? [];
  async function commit(batches: readonly Batch[]): Promise<AppendedEntry[][]> {
    state.writes += 1;
    state.parallel += 1;
    state.peak = Math.max(state.peak, state.parallel);
    try {
      await (state.hang ?? Promise.resolve());
      if (state.down) throw new Fault("away");
      if (state.loseRequests > 0) {
        state.loseRequests -= 1;
        throw new Fault("lost");
      }
      if (batches.some(({ entries }) => entries.length === 0)) throw new Error("A batch without entries.");
      const entries = batches.flatMap((batch) => batch.entries);
      const bad = entries.map(({ eventId }) => FAULTY.exec(eventId)?.[0]).find((fault) => fault !== undefined);
      if (bad !== undefined) throw new Fault(bad as BatchFault);
      const added = batches.map(({ tenantId, entries: batch }) => {
        const from = rowsOf(tenantId).length + 1;
        return batch.map(({ eventId }, at) => ({ tenantId, eventId, seq: from + at, hash: "" }));
      });
      written.push(...entries);
      for (const [at, { tenantId }] of batches.entries())
        rows.set(tenantId, [...rowsOf(tenantId), ...(added[at] ?? [])]);
      if (state.loseAnswers > 0) {
        state.loseAnswers -= 1;
        throw new Fault("lost");
      }
      return added;
    } finally {
      state.parallel -= 1;
    }
  }
  return {
    state,
    written,
    rowsOf,
    write: async (tenantId: string, entries: readonly PreparedEntry[]) => {
      await (state.loners.has(tenantId) ? state.hangAlone : null);
      return (await commit([{ tenantId, entries }]))[0] as AppendedEntry[];
    },
    writeTogether: async (batches: readonly Batch[]) => {
      state.shared.push(batches.map(({ tenantId }) => tenantId));
      const sharing = batches.filter(({ tenantId }) => !state.loners.has(tenantId));
      const added = await commit(sharing);
      return batches.map((batch) => added[sharing.indexOf(batch)] ?? null);
    },
    writeMissing: async (tenantId: string, entries: readonly PreparedEntry[]) => {
      state.looks += 1;
      if (state.down) throw new Fault("away");
      const found = (eventId: string) => rowsOf(tenantId).find((row) => row.eventId === eventId);
      const missing = entries.filter(({ eventId }) => found(eventId) === undefined);
      if (missing.length > 0) await commit([{ tenantId, entries: missing }]);
      return entries.map(({ eventId }) => found(eventId) as AppendedEntry);
    },
    faultOf: (cause: unknown): BatchFault => (cause instanceof Fault ? cause.fault : "broken"),
  };
}

/** A sequencer over such a trail, and what it said of refused entries. */
export function sequencerOverMemory(limits: Partial<SequencerLimits> = {}) {
  const store = memoryStore();
  const fates: [string, Fate][] = [];
  const sequencer = new EntrySequencer(
    store,
    { ...LIMITS, ...limits },
    { appended: () => undefined, fate: (each, fate) => fates.push([each.eventId, fate]), fault: () => undefined },
  );
  return { store, fates, sequencer };
}

/** What a caller is told whose entry cannot be written. */
export const REFUSED = { code: "audit_unavailable" };

/** Appends entries whose tenant is the first letter of their id. */
export const appendFor = (sequencer: EntrySequencer, ...ids: readonly string[]) =>
  Promise.allSettled(ids.map((id) => sequencer.append(queuedEntry(id, id[0]))));

/** What became of each: its id and number, or `refused`. */
export const landed = (settled: readonly PromiseSettledResult<AppendedEntry>[]) =>
  settled.map((each) => (each.status === "fulfilled" ? `${each.value.eventId} ${each.value.seq}` : "refused"));
