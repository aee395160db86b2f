import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { appendFor, landed, queuedEntry, REFUSED, sequencerOverMemory } from "@/lib/testing/memory-trail";

describe("the sequencer", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "performance", "setImmediate"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("writes what arrives together in batches, in order, one batch per tenant at a time", async () => {
    const { store, sequencer } = sequencerOverMemory();
    const all = Array.from({ length: 30 }, (_, at) => sequencer.append(queuedEntry(`e${at}`)));
    const other = Array.from({ length: 5 }, (_, at) => sequencer.append(queuedEntry(`o${at}`, "b")));
    await vi.advanceTimersByTimeAsync(10);
    expect((await Promise.all(all)).map((appended) => appended.seq)).toEqual(
      Array.from({ length: 30 }, (_, at) => at + 1),
    );
    expect((await Promise.all(other)).map((appended) => appended.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(store.state.writes).toBe(4);
    expect(store.state.peak).toBe(2);
  });

  it("does not wait for the end of a long turn once there is enough to write", async () => {
    const { store, sequencer } = sequencerOverMemory({ enough: 3 });
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

  it("keeps batches below a size in bytes", async () => {
    const { store, sequencer } = sequencerOverMemory({ maxBatchBytes: 250 });
    const all = Array.from({ length: 4 }, (_, at) => sequencer.append(queuedEntry(`e${at}`)));
    await vi.advanceTimersByTimeAsync(10);
    await Promise.all(all);
    expect(store.state.writes).toBe(2);
  });

  it("tells a second outcome of a call apart, and writes everything beside it", async () => {
    const { store, fates, sequencer } = sequencerOverMemory();
    const all = Promise.allSettled(["a", "second", "b", "poisoned"].map((id) => sequencer.append(queuedEntry(id))));
    await vi.advanceTimersByTimeAsync(10);
    expect(landed(await all)).toEqual(["a 1", "refused", "b 2", "refused"]);
    expect(store.rowsOf("a")).toHaveLength(2);
    expect(fates).toEqual([
      ["second", "second"],
      ["poisoned", "dropped"],
    ]);
  });

  it("lets a poisoned entry fall alone", async () => {
    const { store, fates, sequencer } = sequencerOverMemory();
    const all = Promise.allSettled(
      ["a", "b", "poisoned", "c", "d", "e", "f"].map((id) => sequencer.append(queuedEntry(id))),
    );
    await vi.advanceTimersByTimeAsync(10);
    const settled = await all;
    expect(settled.map((each) => each.status === "fulfilled")).toEqual([true, true, false, true, true, true, true]);
    expect(settled[2]).toMatchObject({ reason: REFUSED });
    expect(store.rowsOf("a").map((row) => row.eventId)).toEqual(["a", "b", "c", "d", "e", "f"]);
    expect(fates).toEqual([["poisoned", "dropped"]]);
  });

  it("waits out a short outage without refusing anybody", async () => {
    const { store, sequencer } = sequencerOverMemory();
    store.state.down = true;
    const appended = sequencer.append(queuedEntry("e"));
    await vi.advanceTimersByTimeAsync(500);
    expect(sequencer.failing()).toBe(true);
    store.state.down = false;
    await vi.advanceTimersByTimeAsync(200);
    expect((await appended).seq).toBe(1);
    expect(sequencer.failing()).toBe(false);
  });

  it("refuses within the bound while the database is away, and recovers by itself", async () => {
    const { store, fates, sequencer } = sequencerOverMemory();
    store.state.down = true;
    const early = expect(sequencer.append(queuedEntry("early"))).rejects.toMatchObject(REFUSED);
    await vi.advanceTimersByTimeAsync(1200);
    await early;
    store.state.down = false;
    await vi.advanceTimersByTimeAsync(200);
    const later = sequencer.append(queuedEntry("later"));
    await vi.advanceTimersByTimeAsync(100);
    expect((await later).seq).toBe(1);
    expect(fates).toEqual([["early", "dropped"]]);
  });

  it("finds an entry whose commit answered into the void, and writes it once", async () => {
    const { store, sequencer } = sequencerOverMemory();
    store.state.loseAnswers = 1;
    const appended = sequencer.append(queuedEntry("e"));
    await vi.advanceTimersByTimeAsync(300);
    expect((await appended).seq).toBe(1);
    expect(store.rowsOf("a")).toHaveLength(1);
  });

  it("writes an entry in doubt although its caller was refused: it might land by itself at any time", async () => {
    const { store, fates, sequencer } = sequencerOverMemory();
    store.state.loseRequests = 1;
    const early = expect(sequencer.append(queuedEntry("early"))).rejects.toMatchObject(REFUSED);
    await vi.advanceTimersByTimeAsync(10);
    store.state.down = true;
    await vi.advanceTimersByTimeAsync(1_200);
    await early;
    expect(fates).toEqual([]);
    store.state.down = false;
    await vi.advanceTimersByTimeAsync(200);
    expect(fates).toEqual([["early", "landed"]]);
    expect(store.rowsOf("a")).toHaveLength(1);
  });

  it("still doubts an entry when the next batch is refused for what another one holds", async () => {
    const { store, fates, sequencer } = sequencerOverMemory();
    store.state.loseAnswers = 1;
    const first = sequencer.append(queuedEntry("e"));
    await vi.advanceTimersByTimeAsync(10);
    const poison = expect(sequencer.append(queuedEntry("poisoned"))).rejects.toMatchObject(REFUSED);
    const good = sequencer.append(queuedEntry("good"));
    await vi.advanceTimersByTimeAsync(200);
    await poison;
    expect([(await first).seq, (await good).seq]).toEqual([1, 2]);
    expect(store.rowsOf("a")).toHaveLength(2);
    expect(fates).toEqual([["poisoned", "dropped"]]);
  });

  it("tells when a refused entry is in the trail after all", async () => {
    const { store, fates, sequencer } = sequencerOverMemory();
    let release: () => void = () => undefined;
    store.state.hang = new Promise((resolve) => {
      release = resolve;
    });
    const slow = expect(sequencer.append(queuedEntry("slow"))).rejects.toMatchObject(REFUSED);
    await vi.advanceTimersByTimeAsync(1200);
    await slow;
    expect(fates).toEqual([]);
    release();
    await vi.advanceTimersByTimeAsync(10);
    expect(fates).toEqual([["slow", "landed"]]);
  });

  it("keeps the queue bounded", async () => {
    const { store, sequencer } = sequencerOverMemory();
    store.state.down = true;
    const all = Promise.allSettled(Array.from({ length: 60 }, (_, at) => sequencer.append(queuedEntry(`e${at}`))));
    expect(sequencer.queued()).toBe(50);
    await vi.advanceTimersByTimeAsync(1500);
    expect((await all).every((each) => each.status === "rejected")).toBe(true);
    expect(sequencer.queued()).toBe(0);
    store.state.down = false;
    await vi.advanceTimersByTimeAsync(200);
    expect(sequencer.queued()).toBe(0);
  });

  it("remembers of a lost batch what may have been committed, and nothing more", async () => {
    const { store, sequencer } = sequencerOverMemory();
    store.state.loseRequests = 1;
    const all = Promise.allSettled(Array.from({ length: 50 }, (_, at) => sequencer.append(queuedEntry(`e${at}`))));
    await vi.advanceTimersByTimeAsync(10);
    store.state.down = true;
    await vi.advanceTimersByTimeAsync(1_500);
    expect((await all).every((each) => each.status === "rejected")).toBe(true);
    expect(sequencer.queued()).toBe(10);
    store.state.down = false;
    await vi.advanceTimersByTimeAsync(200);
    expect(sequencer.queued()).toBe(0);
  });

  it("closes after the queue is written, or after the bound when there is no database", async () => {
    const { store, sequencer } = sequencerOverMemory();
    const appended = sequencer.append(queuedEntry("e"));
    const closed = sequencer.close();
    await vi.advanceTimersByTimeAsync(10);
    await closed;
    expect((await appended).seq).toBe(1);
    await expect(sequencer.append(queuedEntry("late"))).rejects.toMatchObject(REFUSED);

    const second = sequencerOverMemory();
    second.store.state.down = true;
    const never = expect(second.sequencer.append(queuedEntry("e"))).rejects.toMatchObject(REFUSED);
    const given = second.sequencer.close();
    await vi.advanceTimersByTimeAsync(1500);
    await Promise.all([never, given]);
    expect(store.rowsOf("a")).toHaveLength(1);
  });
});
