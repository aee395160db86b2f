import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AppendedEntry } from "@/lib/audit/entry";
import type { PreparedEntry } from "@/lib/audit/prepare-entry";
import { type Batch, type BatchFault, EntrySequencer, type SequencerLimits } from "@/lib/audit/sequencer";

const LIMITS: SequencerLimits = {
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
  const state = {
    down: false,
    loseAnswers: 0,
    hang: null as Promise<void> | null,
    writes: 0,
    parallel: 0,
    peak: 0,
    finds: 0,
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
      if (state.down) throw new Fault("lost");
      if (batches.some(({ entries }) => entries.length === 0)) throw new Error("A batch without entries.");
      const entries = batches.flatMap((batch) => batch.entries);
      if (entries.some((each) => each.eventId.startsWith("poison"))) throw new Fault("poisoned");
      const added = batches.map(({ tenantId, entries: batch }) => {
        const from = rowsOf(tenantId).length + 1;
        return batch.map(({ eventId }, at) => ({ tenantId, eventId, seq: from + at, hash: "" }));
      });
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
    find: async (tenantId: string, entries: readonly PreparedEntry[]) => {
      state.finds += 1;
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

  const appendFor = (sequencer: EntrySequencer, ...ids: readonly string[]) =>
    Promise.allSettled(ids.map((id) => sequencer.append(entry(id, id[0]))));
  const landed = (settled: readonly PromiseSettledResult<AppendedEntry>[]) =>
    settled.map((each) => (each.status === "fulfilled" ? `${each.value.eventId} ${each.value.seq}` : "refused"));

  it("lets small batches of several tenants share a transaction", async () => {
    const { store, sequencer } = setup();
    const all = appendFor(sequencer, "a1", "b1", "c1", "d1", "b2");
    await vi.advanceTimersByTimeAsync(10);
    expect(landed(await all)).toEqual(["a1 1", "b1 1", "c1 1", "d1 1", "b2 2"]);
    expect(store.state.shared).toEqual([["a", "b", "c"]]);
    expect(store.state.writes).toBe(2);
  });

  it("does not wait for the end of a long turn once there is enough to write", async () => {
    const { store, sequencer } = setup({ enough: 3 });
    const settle = async () => {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    };
    const first = appendFor(sequencer, "a1", "a2");
    await settle();
    expect(store.rowsOf("a")).toHaveLength(0);
    const second = appendFor(sequencer, "a3", "a4");
    await settle();
    expect(store.rowsOf("a")).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(10);
    expect(landed([...(await first), ...(await second)])).toEqual(["a1 1", "a2 2", "a3 3", "a4 4"]);
    expect(store.state.writes).toBe(2);
  });

  it("shares no more entries and bytes than a batch may have", async () => {
    const { store, sequencer } = setup({ maxBatch: 3 });
    const all = appendFor(sequencer, "a1", "a2", "b1", "b2", "c1");
    await vi.advanceTimersByTimeAsync(10);
    expect(landed(await all)).not.toContain("refused");
    expect(store.state.shared).toEqual([["b", "c"]]);
    const bytes = setup({ maxBatchBytes: 250 });
    const heavy = appendFor(bytes.sequencer, "a1", "b1", "c1");
    await vi.advanceTimersByTimeAsync(10);
    expect(landed(await heavy)).toEqual(["a1 1", "b1 1", "c1 1"]);
    expect(bytes.store.state.shared).toEqual([["a", "b"]]);
  });

  it("writes alone what could not be written together", async () => {
    const { store, sequencer } = setup();
    store.state.loners.add("b");
    const all = appendFor(sequencer, "a1", "b1", "c1");
    await vi.advanceTimersByTimeAsync(10);
    expect(landed(await all)).toEqual(["a1 1", "b1 1", "c1 1"]);
    expect(store.state.finds).toBe(0);
    expect(store.state.writes).toBe(2);
  });

  it("keeps nobody's next batch waiting for one that has to be written alone", async () => {
    const { store, sequencer } = setup();
    store.state.loners.add("b");
    store.state.hangAlone = new Promise((go) => setTimeout(go, 500));
    store.state.hang = new Promise((go) => setTimeout(go, 20));
    const first = appendFor(sequencer, "a1", "b1");
    await vi.advanceTimersByTimeAsync(10);
    const next = appendFor(sequencer, "a2");
    // Before anything but the end of the first transaction makes it look again.
    await vi.advanceTimersByTimeAsync(30);
    expect(landed(await next)).toEqual(["a2 2"]);
    expect(store.rowsOf("b")).toEqual([]);
    await vi.advanceTimersByTimeAsync(500);
    expect(landed(await first)).toEqual(["a1 1", "b1 1"]);
  });

  it("lets a tenant's poisoned entry fall alone, and no other tenant's with it", async () => {
    const { store, fates, sequencer } = setup();
    const poison = sequencer.append(entry("poison", "b"));
    const fall = expect(poison).rejects.toMatchObject(refused);
    const all = appendFor(sequencer, "a1", "b1", "c1");
    await vi.advanceTimersByTimeAsync(10);
    await fall;
    expect(landed(await all)).toEqual(["a1 1", "b1 1", "c1 1"]);
    expect(store.state.shared).toEqual([["b", "a", "c"]]);
    expect(fates).toEqual([["poison", false]]);
  });

  it("finds what several tenants' commit answered into the void, and writes it once", async () => {
    const { store, sequencer } = setup();
    store.state.loseAnswers = 1;
    const all = appendFor(sequencer, "a1", "b1", "c1");
    await vi.advanceTimersByTimeAsync(300);
    expect(landed(await all)).toEqual(["a1 1", "b1 1", "c1 1"]);
    expect(["a", "b", "c"].map((tenant) => store.rowsOf(tenant).length)).toEqual([1, 1, 1]);
    expect(store.state.writes).toBe(1);
  });

  it("drops from a shared transaction who was refused meanwhile", async () => {
    const { store, fates, sequencer } = setup({ maxParallel: 1 });
    store.state.hang = new Promise((go) => setTimeout(go, 1_500));
    const early = appendFor(sequencer, "x1");
    await vi.advanceTimersByTimeAsync(10);
    const late = appendFor(sequencer, "a1", "b1");
    await vi.advanceTimersByTimeAsync(1_000);
    const other = appendFor(sequencer, "b2");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(landed(await early)).toEqual(["refused"]);
    expect(landed(await late)).toEqual(["refused", "refused"]);
    expect(landed(await other)).toEqual(["b2 1"]);
    expect(fates).toEqual(
      expect.arrayContaining([
        ["x1", true],
        ["a1", false],
        ["b1", false],
      ]),
    );
  });

  it("writes nothing of what was refused because the process ends", async () => {
    const { store, fates, sequencer } = setup({ maxParallel: 1 });
    store.state.hang = new Promise((go) => setTimeout(go, 1_450));
    const early = appendFor(sequencer, "x1");
    await vi.advanceTimersByTimeAsync(405);
    const late = appendFor(sequencer, "a1", "b1");
    await vi.advanceTimersByTimeAsync(1);
    // Gives up after 1,406 ms, just before the look at those who waited too long.
    const closed = sequencer.close();
    await vi.advanceTimersByTimeAsync(1_000);
    await closed;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(landed([...(await early), ...(await late)])).toEqual(["refused", "refused", "refused"]);
    expect(["a", "b"].map((tenant) => store.rowsOf(tenant).length)).toEqual([0, 0]);
    expect(store.state.shared).toEqual([]);
    const fallen = [
      ["a1", false],
      ["b1", false],
    ];
    expect(fates).toEqual([["x1", true], ...fallen]);
  });

  it("loses and doubles nothing, whatever the tenants, faults and sizes", async () => {
    vi.useRealTimers();
    const entries = fc.array(fc.record({ tenant: fc.constantFrom(..."abcdef"), poison: fc.boolean() }), {
      maxLength: 40,
    });
    const world = fc.record({
      entries,
      loners: fc.subarray([..."abcdef"]),
      lost: fc.nat(3),
      together: fc.integer({ min: 1, max: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(world, async ({ entries: wanted, loners, lost, together }) => {
        const { store, sequencer } = setup({
          enough: together,
          maxTogether: together,
          retryMs: 1,
          maxBatch: 5,
          maxWaitMs: 5_000,
        });
        store.state.loseAnswers = lost;
        for (const tenant of loners) store.state.loners.add(tenant);
        const ids = wanted.map(({ tenant, poison }, at) => ({ tenant, poison, id: poison ? `poison${at}` : `e${at}` }));
        const settled = await Promise.allSettled(ids.map(({ id, tenant }) => sequencer.append(entry(id, tenant))));
        for (const [at, { poison }] of ids.entries())
          expect(settled[at]?.status).toBe(poison ? "rejected" : "fulfilled");
        for (const tenant of "abcdef") {
          const sound = ids.filter((each) => each.tenant === tenant && !each.poison).map(({ id }) => id);
          expect(store.rowsOf(tenant).map((row) => row.eventId)).toEqual(sound);
        }
        expect(sequencer.queued()).toBe(0);
      }),
      { numRuns: 60 },
    );
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
