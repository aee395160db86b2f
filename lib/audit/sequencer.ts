import { Backlog, type BacklogLimits, type OnFate, unavailable, type Waiting } from "@/lib/audit/backlog";
import type { AppendedEntry } from "@/lib/audit/entry";
import { type BatchSize, type Lane, makeLane, setDoubt, takeBatch, takeTogether } from "@/lib/audit/lanes";
import type { PreparedEntry } from "@/lib/audit/prepare-entry";

/**
 * What went wrong with a batch:
 * - `away`: nothing was written, and it may pass later;
 * - `lost`: nobody told us whether it was written;
 * - `poisoned`: nothing was written, and one entry in it is at fault;
 * - `second`: the same, and its fault is that its call has an outcome already;
 * - `broken`: nothing was written, and nothing will help.
 */
export type BatchFault = "away" | "lost" | "poisoned" | "second" | "broken";

export type SequencerLimits = BacklogLimits &
  BatchSize & {
    /** With so many waiting, a tenant's batch is sent in the middle of a turn. */
    readonly enough: number;
    /** Transactions in flight at a time, of different tenants. */
    readonly maxParallel: number;
    /** Tenants whose batches may share a transaction. */
    readonly maxTogether: number;
    /** How long an append may take before its caller is refused. */
    readonly maxWaitMs: number;
    readonly retryMs: number;
  };

/** Entries of one tenant, in their order. */
export type Batch = { readonly tenantId: string; readonly entries: readonly PreparedEntry[] };

export type SequencerStore = {
  /** One transaction; resolves after the commit. */
  readonly write: (tenantId: string, entries: readonly PreparedEntry[]) => Promise<readonly AppendedEntry[]>;
  /**
   * One transaction for batches of several tenants; resolves after the commit. Null for a tenant of which nothing was
   * written because it has to be written alone.
   */
  readonly writeTogether: (batches: readonly Batch[]) => Promise<readonly (readonly AppendedEntry[] | null)[]>;
  /**
   * Writes those of these entries that are not in the trail yet, and answers for all of them, in their order: asked when a
   * commit's answer was lost. Looks and writes in one transaction that holds the chain's head, so that whatever of the lost
   * one still runs has ended before, or finds another head and writes nothing.
   */
  readonly writeMissing: (tenantId: string, entries: readonly PreparedEntry[]) => Promise<readonly AppendedEntry[]>;
  readonly faultOf: (cause: unknown) => BatchFault;
};

export type SequencerEvents = {
  readonly appended: (entries: readonly AppendedEntry[]) => void;
  readonly fate: OnFate;
  readonly fault: (fault: BatchFault, cause: unknown, entries: number) => void;
};

export type Sequencer = {
  readonly append: (entry: PreparedEntry) => Promise<AppendedEntry>;
  /** True while the last batch of any tenant failed for want of a database. */
  readonly failing: () => boolean;
  readonly queued: () => number;
  /** Refuses new entries and waits until the queued ones are written, or refused at the latest after `maxWaitMs`. */
  readonly close: () => Promise<void>;
};

/**
 * Puts the entries of each tenant in one order and writes them in batches: what arrives while a batch is in flight
 * becomes the next batch. One batch per tenant at a time; several tenants at once, and small batches of several tenants
 * share a transaction, because a commit costs the same for all of them as for one.
 */
export class EntrySequencer implements Sequencer {
  private readonly lanes = new Map<string, Lane>();
  private readonly store: SequencerStore;
  private readonly limits: SequencerLimits;
  private readonly events: SequencerEvents;
  private readonly backlog: Backlog;
  private readonly idle: (() => void)[] = [];
  private running = 0;
  private closed = false;
  private pumping = false;
  private ticking: NodeJS.Timeout | null = null;

  constructor(store: SequencerStore, limits: SequencerLimits, events: SequencerEvents) {
    this.store = store;
    this.limits = limits;
    this.events = events;
    this.backlog = new Backlog(limits, events.fate);
  }

  append(entry: PreparedEntry): Promise<AppendedEntry> {
    if (this.closed || !this.backlog.hasRoomFor(entry)) {
      this.events.fate(entry, "dropped");
      return Promise.reject(unavailable());
    }
    return new Promise((resolve, reject) => {
      const lane = this.lane(entry.tenantId);
      const refuseAt = performance.now() + this.limits.maxWaitMs;
      const waiting = { entry, refuseAt, resolve, reject, refused: false, done: false, inDoubt: false };
      lane.queue.push(waiting);
      this.backlog.enter(waiting);
      this.watch();
      if (this.canGoNow(lane)) this.pump();
      else this.pumpSoon();
    });
  }

  failing(): boolean {
    for (const lane of this.lanes.values()) if (lane.retryAt > 0) return true;
    return false;
  }

  queued(): number {
    return this.backlog.size();
  }

  close(): Promise<void> {
    this.closed = true;
    if (this.backlog.size() === 0 && this.running === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.idle.push(resolve);
      // Entries in doubt can be looked up only by who comes after us.
      setTimeout(() => this.giveUp(), this.limits.maxWaitMs).unref();
    });
  }

  private giveUp(): void {
    for (const lane of this.lanes.values()) {
      for (const waiting of [...lane.inFlight, ...lane.queue]) this.backlog.refuse(waiting);
    }
    this.rest();
  }

  private lane(tenantId: string): Lane {
    const found = this.lanes.get(tenantId);
    if (found !== undefined) return found;
    const made = makeLane(tenantId);
    this.lanes.set(tenantId, made);
    return made;
  }

  /** In a busy process a turn lasts many milliseconds, in which the database can be at work already. */
  private canGoNow({ busy, retryAt, queue }: Lane): boolean {
    const { enough, maxParallel } = this.limits;
    return !busy && retryAt === 0 && queue.length >= enough && this.running < maxParallel;
  }

  /** After the current turn, so that what arrives in it shares the first batch. */
  private pumpSoon(): void {
    if (this.pumping) return;
    this.pumping = true;
    setImmediate(() => {
      this.pumping = false;
      this.pump();
    });
  }

  private watch(): void {
    this.ticking ??= setInterval(() => this.tick(), 100).unref();
  }

  private pump(): void {
    const ready = this.readyLanes();
    while (ready.length > 0 && this.running < this.limits.maxParallel) {
      const together = takeTogether(ready, this.limits);
      for (const lane of together) {
        // The tenant that was served goes to the end of the map: everybody gets a turn.
        this.lanes.delete(lane.tenantId);
        this.lanes.set(lane.tenantId, lane);
      }
      void this.serve(together);
    }
  }

  private readyLanes(): Lane[] {
    const now = performance.now();
    const ready: Lane[] = [];
    for (const lane of this.lanes.values()) {
      if (lane.busy || lane.retryAt > now) continue;
      // Tenants come and go; a lane without work is nothing to keep.
      if (lane.queue.length === 0) this.lanes.delete(lane.tenantId);
      else ready.push(lane);
    }
    return ready;
  }

  private async serve(lanes: readonly Lane[]): Promise<void> {
    this.running += 1;
    for (const lane of lanes) {
      lane.busy = true;
      lane.inFlight = takeBatch(lane, this.limits);
    }
    const [only] = lanes;
    if (lanes.length === 1 && only !== undefined) await this.serveAlone(only);
    else await this.serveTogether(lanes);
    this.running -= 1;
    if (this.backlog.size() > 0) this.pumpSoon();
    else if (this.running === 0) this.rest();
  }

  private async serveAlone(lane: Lane): Promise<void> {
    try {
      // What is in doubt may still land by itself, so it is written even when nobody waits for it any more.
      lane.inFlight = lane.inFlight.filter((waiting) => waiting.inDoubt || this.backlog.isWanted(waiting));
      await this.write(lane, lane.inFlight);
      lane.retryAt = 0;
    } catch (cause) {
      this.requeue(lane, cause);
    }
    this.free(lane);
  }

  /** None of them holds an entry in doubt: their last batches went well. */
  private async serveTogether(lanes: readonly Lane[]): Promise<void> {
    for (const lane of lanes) lane.inFlight = lane.inFlight.filter((waiting) => this.backlog.isWanted(waiting));
    const filled = lanes.filter(({ inFlight }) => inFlight.length > 0);
    for (const { inFlight } of filled) setDoubt(inFlight, true);
    const written = await this.writeTogether(filled);
    const alone = filled.filter((_, index) => written[index] === null);
    for (const lane of lanes) if (!alone.includes(lane)) this.free(lane);
    // Whoever has to wait for a head keeps nobody else's next batch waiting.
    this.pumpSoon();
    for (const { inFlight } of alone) setDoubt(inFlight, false);
    await Promise.all(alone.map((lane) => this.serveAlone(lane)));
  }

  /** Null for each lane that has to be written alone. */
  private async writeTogether(lanes: readonly Lane[]): Promise<readonly (readonly AppendedEntry[] | null)[]> {
    if (lanes.length === 0) return [];
    const batchOf = ({ tenantId, inFlight }: Lane) => ({ tenantId, entries: inFlight.map(({ entry }) => entry) });
    let written: readonly (readonly AppendedEntry[] | null)[];
    try {
      written = await this.store.writeTogether(lanes.map(batchOf));
    } catch (cause) {
      const fault = this.store.faultOf(cause);
      // Where the database answered with an error nothing was committed, and each has to be seen for itself.
      if (fault !== "lost" && fault !== "away") return lanes.map(() => null);
      for (const lane of lanes) {
        setDoubt(lane.inFlight, fault === "lost");
        this.requeue(lane, cause);
      }
      return lanes.map(() => []);
    }
    for (const [index, lane] of lanes.entries()) {
      const appended = written[index] ?? null;
      if (appended !== null) this.acceptAll(lane.inFlight, appended);
    }
    return written;
  }

  private free(lane: Lane): void {
    lane.inFlight = [];
    lane.busy = false;
  }

  private rest(): void {
    if (this.ticking !== null) clearInterval(this.ticking);
    this.ticking = null;
    for (const resolve of this.idle.splice(0)) resolve();
  }

  /** Writes a batch; where an entry in it is refused for what it holds, halves it until that one stands alone. */
  private async write(lane: Lane, batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return;
    const doubtful = batch.filter((waiting) => waiting.inDoubt);
    const entries = batch.map((waiting) => waiting.entry);
    setDoubt(batch, true);
    try {
      const write = doubtful.length > 0 ? this.store.writeMissing : this.store.write;
      this.acceptAll(batch, await write(lane.tenantId, entries));
    } catch (cause) {
      await this.writeLess(lane, batch, doubtful, cause);
    }
  }

  private async writeLess(
    lane: Lane,
    batch: readonly Waiting[],
    doubtful: readonly Waiting[],
    cause: unknown,
  ): Promise<void> {
    const fault = this.store.faultOf(cause);
    if (fault === "lost") throw cause;
    // Nothing was committed this time; what became of an earlier time is as open as before.
    setDoubt(batch, false);
    setDoubt(doubtful, true);
    if (fault === "away" || (fault === "broken" && doubtful.length > 0)) throw cause;
    if (fault !== "broken" && batch.length > 1) {
      const half = batch.length >> 1;
      await this.write(lane, batch.slice(0, half));
      await this.write(lane, batch.slice(half));
      return;
    }
    this.events.fault(fault, cause, batch.length);
    for (const waiting of batch) this.backlog.drop(waiting, cause, fault === "second" ? "second" : "dropped");
  }

  private acceptAll(batch: readonly Waiting[], appended: readonly AppendedEntry[]): void {
    batch.forEach((waiting, at) => {
      this.backlog.accept(waiting, appended[at] as AppendedEntry);
    });
    this.events.appended(appended);
  }

  private requeue(lane: Lane, cause: unknown): void {
    const left = lane.inFlight.filter((waiting) => !waiting.done);
    this.events.fault("lost", cause, left.length);
    lane.queue = left.concat(lane.queue);
    lane.retryAt = performance.now() + this.limits.retryMs;
  }

  /** Refuses who has waited too long, and looks after lanes that wait for the database. */
  private tick(): void {
    const now = performance.now();
    for (const lane of this.lanes.values()) {
      for (const waiting of lane.inFlight) if (waiting.refuseAt <= now) this.backlog.refuse(waiting);
      let certain = false;
      for (const waiting of lane.queue) {
        if (waiting.refuseAt > now) break;
        this.backlog.refuse(waiting);
        certain ||= !waiting.inDoubt;
      }
      if (certain) lane.queue = lane.queue.filter((waiting) => waiting.inDoubt || this.backlog.isWanted(waiting));
    }
    this.pump();
    if (this.backlog.size() === 0 && this.running === 0) this.rest();
  }
}
