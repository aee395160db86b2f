import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AppendedEntry } from "@/lib/audit/entry";
import type { PreparedEntry } from "@/lib/audit/prepare-entry";
import { type BatchFault, EntrySequencer, type SequencerLimits } from "@/lib/audit/sequencer";

const LIMITS: SequencerLimits = {
  maxBatch: 10,
  maxBatchBytes: 10_000,
  maxQueued: 50,
  maxQueuedBytes: 100_000,
  maxParallel: 2,
  maxWaitMs: 1000,
  retryMs: 50,
};

const entry = (id: string, tenantId = "a", bytes = 100): PreparedEntry =>
  ({ tenantId, eventId: id, bytes, draft: {}, payload: null }) as unknown as PreparedEntry;

class Fault extends Error {
  readonly fault: BatchFault;
  constructor(fault: BatchFault) {
    super(fault);
    this.fault = fault;
  }
}

/** A trail in memory that can be down, can lose the answer of a commit, and refuses entries whose id says `poison`. */
function fakeStore() {
  const rows = new Map<string, AppendedEntry[]>();
  const state = { down: false, loseAnswers: 0, hang: null as Promise<void> | null, writes: 0, parallel: 0, peak: 0 };
  const rowsOf = (tenantId: string) => rows.get(tenantId) ?? [];
  return {
    state,
    rowsOf,
    write: async (tenantId: string, entries: readonly PreparedEntry[]) => {
      state.writes += 1;
      state.parallel += 1;
      state.peak = Math.max(state.peak, state.parallel);
      try {
        await (state.hang ?? Promise.resolve());
        if (state.down) throw new Fault("lost");
        if (entries.some((each) => each.eventId.startsWith("poison"))) throw new Fault("poisoned");
        const before = rowsOf(tenantId);
        const added = entries.map((each, at) => ({
          tenantId,
          eventId: each.eventId,
          seq: before.length + at + 1,
          hash: "",
        }));
        rows.set(tenantId, [...before, ...added]);
        if (state.loseAnswers > 0) {
          state.loseAnswers -= 1;
          throw new Fault("lost");
        }
        return added;
      } finally {
        state.parallel -= 1;
      }
    },
    find: async (tenantId: string, entries: readonly PreparedEntry[]) => {
      if (state.down) throw new Fault("lost");
      return rowsOf(tenantId).filter((row) => entries.some((each) => each.eventId === row.eventId));
    },
    faultOf: (cause: unknown): BatchFault => (cause instanceof Fault ? cause.fault : "broken"),
  };
}

function setup(limits: Partial<SequencerLimits> = {}) {
  const store = fakeStore();
  const fates: [string, boolean][] = [];
  const sequencer = new EntrySequencer(
    store,
    { ...LIMITS, ...limits },
    { appended: () => undefined, fate: (each, landed) => fates.push([each.eventId, landed]), fault: () => undefined },
  );
  return { store, fates, sequencer };
}

const refused = { code: "audit_unavailable" };

describe("the sequencer", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "performance", "setImmediate"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("writes what arrives together in batches, in order, one batch per tenant at a time", async () => {
    const { store, sequencer } = setup();
    const all = Array.from({ length: 30 }, (_, at) => sequencer.append(entry(`e${at}`)));
    const other = Array.from({ length: 5 }, (_, at) => sequencer.append(entry(`o${at}`, "b")));
    await vi.advanceTimersByTimeAsync(10);
    expect((await Promise.all(all)).map((appended) => appended.seq)).toEqual(
      Array.from({ length: 30 }, (_, at) => at + 1),
    );
    expect((await Promise.all(other)).map((appended) => appended.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(store.state.writes).toBe(4);
    expect(store.state.peak).toBe(2);
  });

  it("keeps batches below a size in bytes", async () => {
    const { store, sequencer } = setup({ maxBatchBytes: 250 });
    const all = Array.from({ length: 4 }, (_, at) => sequencer.append(entry(`e${at}`)));
    await vi.advanceTimersByTimeAsync(10);
    await Promise.all(all);
    expect(store.state.writes).toBe(2);
  });

  it("lets a poisoned entry fall alone", async () => {
    const { store, fates, sequencer } = setup();
    const all = Promise.allSettled(["a", "b", "poison", "c", "d", "e", "f"].map((id) => sequencer.append(entry(id))));
    await vi.advanceTimersByTimeAsync(10);
    const settled = await all;
    expect(settled.map((each) => each.status === "fulfilled")).toEqual([true, true, false, true, true, true, true]);
    expect(settled[2]).toMatchObject({ reason: refused });
    expect(store.rowsOf("a").map((row) => row.eventId)).toEqual(["a", "b", "c", "d", "e", "f"]);
    expect(fates).toEqual([["poison", false]]);
  });

  it("waits out a short outage without refusing anybody", async () => {
    const { store, sequencer } = setup();
    store.state.down = true;
    const appended = sequencer.append(entry("e"));
    await vi.advanceTimersByTimeAsync(500);
    expect(sequencer.failing()).toBe(true);
    store.state.down = false;
    await vi.advanceTimersByTimeAsync(200);
    expect((await appended).seq).toBe(1);
    expect(sequencer.failing()).toBe(false);
  });

  it("refuses within the bound while the database is away, and recovers by itself", async () => {
    const { store, fates, sequencer } = setup();
    store.state.down = true;
    const early = expect(sequencer.append(entry("early"))).rejects.toMatchObject(refused);
    await vi.advanceTimersByTimeAsync(1200);
    await early;
    store.state.down = false;
    await vi.advanceTimersByTimeAsync(200);
    const later = sequencer.append(entry("later"));
    await vi.advanceTimersByTimeAsync(100);
    expect((await later).seq).toBe(1);
    expect(fates).toEqual([["early", false]]);
  });

  it("finds an entry whose commit answered into the void, and writes it once", async () => {
    const { store, sequencer } = setup();
    store.state.loseAnswers = 1;
    const appended = sequencer.append(entry("e"));
    await vi.advanceTimersByTimeAsync(300);
    expect((await appended).seq).toBe(1);
    expect(store.rowsOf("a")).toHaveLength(1);
  });

  it("tells when a refused entry is in the trail after all", async () => {
    const { store, fates, sequencer } = setup();
    let release: () => void = () => undefined;
    store.state.hang = new Promise((resolve) => {
      release = resolve;
    });
    const slow = expect(sequencer.append(entry("slow"))).rejects.toMatchObject(refused);
    await vi.advanceTimersByTimeAsync(1200);
    await slow;
    expect(fates).toEqual([]);
    release();
    await vi.advanceTimersByTimeAsync(10);
    expect(fates).toEqual([["slow", true]]);
  });

  it("keeps the queue bounded", async () => {
    const { store, sequencer } = setup();
    store.state.down = true;
    const all = Promise.allSettled(Array.from({ length: 60 }, (_, at) => sequencer.append(entry(`e${at}`))));
    expect(sequencer.queued()).toBe(50);
    await vi.advanceTimersByTimeAsync(1500);
    expect((await all).every((each) => each.status === "rejected")).toBe(true);
    // What may have been committed is remembered until the database can be asked, and nothing more.
    expect(sequencer.queued()).toBeLessThanOrEqual(10);
    store.state.down = false;
    await vi.advanceTimersByTimeAsync(200);
    expect(sequencer.queued()).toBe(0);
  });

  it("closes after the queue is written, or after the bound when there is no database", async () => {
    const { store, sequencer } = setup();
    const appended = sequencer.append(entry("e"));
    const closed = sequencer.close();
    await vi.advanceTimersByTimeAsync(10);
    await closed;
    expect((await appended).seq).toBe(1);
    await expect(sequencer.append(entry("late"))).rejects.toMatchObject(refused);

    const second = setup();
    second.store.state.down = true;
    const never = expect(second.sequencer.append(entry("e"))).rejects.toMatchObject(refused);
    const given = second.sequencer.close();
    await vi.advanceTimersByTimeAsync(1500);
    await Promise.all([never, given]);
    expect(store.rowsOf("a")).toHaveLength(1);
  });
});
