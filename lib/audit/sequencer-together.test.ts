import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { appendFor, landed, queuedEntry, REFUSED, sequencerOverMemory } from "@/lib/testing/memory-trail";

describe("batches of several tenants", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "performance", "setImmediate"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("lets small batches of several tenants share a transaction", async () => {
    const { store, sequencer } = sequencerOverMemory();
    const all = appendFor(sequencer, "a1", "b1", "c1", "d1", "b2");
    await vi.advanceTimersByTimeAsync(10);
    expect(landed(await all)).toEqual(["a1 1", "b1 1", "c1 1", "d1 1", "b2 2"]);
    expect(store.state.shared).toEqual([["a", "b", "c"]]);
    expect(store.state.writes).toBe(2);
  });

  it("shares no more entries and bytes than a batch may have", async () => {
    const { store, sequencer } = sequencerOverMemory({ maxBatch: 3 });
    const all = appendFor(sequencer, "a1", "a2", "b1", "b2", "c1");
    await vi.advanceTimersByTimeAsync(10);
    expect(landed(await all)).not.toContain("refused");
    expect(store.state.shared).toEqual([["b", "c"]]);
    const bytes = sequencerOverMemory({ maxBatchBytes: 250 });
    const heavy = appendFor(bytes.sequencer, "a1", "b1", "c1");
    await vi.advanceTimersByTimeAsync(10);
    expect(landed(await heavy)).toEqual(["a1 1", "b1 1", "c1 1"]);
    expect(bytes.store.state.shared).toEqual([["a", "b"]]);
  });

  it("writes alone what could not be written together", async () => {
    const { store, sequencer } = sequencerOverMemory();
    store.state.loners.add("b");
    const all = appendFor(sequencer, "a1", "b1", "c1");
    await vi.advanceTimersByTimeAsync(10);
    expect(landed(await all)).toEqual(["a1 1", "b1 1", "c1 1"]);
    expect(store.state.looks).toBe(0);
    expect(store.state.writes).toBe(2);
  });

  it("keeps nobody's next batch waiting for one that has to be written alone", async () => {
    const { store, sequencer } = sequencerOverMemory();
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
    const { store, fates, sequencer } = sequencerOverMemory();
    const poison = sequencer.append(queuedEntry("poisoned", "b"));
    const fall = expect(poison).rejects.toMatchObject(REFUSED);
    const all = appendFor(sequencer, "a1", "b1", "c1");
    await vi.advanceTimersByTimeAsync(10);
    await fall;
    expect(landed(await all)).toEqual(["a1 1", "b1 1", "c1 1"]);
    expect(store.state.shared).toEqual([["b", "a", "c"]]);
    expect(fates).toEqual([["poisoned", "dropped"]]);
  });

  it("finds what several tenants' commit answered into the void, and writes it once", async () => {
    const { store, sequencer } = sequencerOverMemory();
    store.state.loseAnswers = 1;
    const all = appendFor(sequencer, "a1", "b1", "c1");
    await vi.advanceTimersByTimeAsync(300);
    expect(landed(await all)).toEqual(["a1 1", "b1 1", "c1 1"]);
    expect(["a", "b", "c"].map((tenant) => store.rowsOf(tenant).length)).toEqual([1, 1, 1]);
    expect(store.state.writes).toBe(1);
  });

  it("drops from a shared transaction who was refused meanwhile", async () => {
    const { store, fates, sequencer } = sequencerOverMemory({ maxParallel: 1 });
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
        ["x1", "landed"],
        ["a1", "dropped"],
        ["b1", "dropped"],
      ]),
    );
  });

  it("writes nothing of what was refused because the process ends", async () => {
    const { store, fates, sequencer } = sequencerOverMemory({ maxParallel: 1 });
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
      ["a1", "dropped"],
      ["b1", "dropped"],
    ];
    expect(fates).toEqual([["x1", "landed"], ...fallen]);
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
        const { store, sequencer } = sequencerOverMemory({
          enough: together,
          maxTogether: together,
          retryMs: 1,
          maxBatch: 5,
          maxWaitMs: 5_000,
        });
        store.state.loseAnswers = lost;
        for (const tenant of loners) store.state.loners.add(tenant);
        const ids = wanted.map(({ tenant, poison }, at) => ({
          tenant,
          poison,
          id: poison ? `poisoned${at}` : `e${at}`,
        }));
        const settled = await Promise.allSettled(
          ids.map(({ id, tenant }) => sequencer.append(queuedEntry(id, tenant))),
        );
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
});
