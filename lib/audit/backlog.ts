import type { AppendedEntry } from "@/lib/audit/entry";
import type { PreparedEntry } from "@/lib/audit/prepare-entry";
import { AppError } from "@/lib/core/errors";

/** An entry on its way into the trail, and who waits for it. */
export type Waiting = {
  readonly entry: PreparedEntry;
  readonly refuseAt: number;
  readonly resolve: (appended: AppendedEntry) => void;
  readonly reject: (error: AppError) => void;
  refused: boolean;
  /** Its fate is certain, and it is counted no more. */
  done: boolean;
  /** A transaction with it may have been committed although we were not told. */
  inDoubt: boolean;
};

export type BacklogLimits = { readonly maxQueued: number; readonly maxQueuedBytes: number };

/**
 * What became of a refused entry:
 * - `landed`: it is in the trail after all;
 * - `dropped`: it is not, and never will be;
 * - `second`: the same, because its call has an outcome already.
 */
export type Fate = "landed" | "dropped" | "second";

/** Called once for each refused entry, as soon as that is certain. */
export type OnFate = (entry: PreparedEntry, fate: Fate) => void;

export const unavailable = (cause?: unknown) =>
  new AppError("audit_unavailable", "The audit trail cannot take this entry now.", { retryAfterMs: 1000 }, cause);

/** The entries whose fate is open: how many there are, how big, and what becomes of each. */
export class Backlog {
  private readonly limits: BacklogLimits;
  private readonly onFate: OnFate;
  private count = 0;
  private bytes = 0;

  constructor(limits: BacklogLimits, onFate: OnFate) {
    this.limits = limits;
    this.onFate = onFate;
  }

  size(): number {
    return this.count;
  }

  hasRoomFor(entry: PreparedEntry): boolean {
    return this.count < this.limits.maxQueued && this.bytes + entry.bytes <= this.limits.maxQueuedBytes;
  }

  enter(waiting: Waiting): void {
    this.count += 1;
    this.bytes += waiting.entry.bytes;
  }

  /** It is in the trail. */
  accept(waiting: Waiting, appended: AppendedEntry): void {
    this.leave(waiting);
    if (waiting.refused) this.onFate(waiting.entry, "landed");
    else waiting.resolve(appended);
  }

  /** It is not in the trail and never will be. */
  drop(waiting: Waiting, cause: unknown, fate: "dropped" | "second"): void {
    this.leave(waiting);
    this.refuse(waiting, cause);
    this.onFate(waiting.entry, fate);
  }

  /** Whoever waits for it waits no longer; its fate may still be open. */
  refuse(waiting: Waiting, cause?: unknown): void {
    if (waiting.refused) return;
    waiting.refused = true;
    waiting.reject(unavailable(cause));
  }

  /** True while somebody waits for it; otherwise it is given up, so it must not be in doubt. */
  isWanted(waiting: Waiting): boolean {
    if (!waiting.refused) return true;
    this.leave(waiting);
    this.onFate(waiting.entry, "dropped");
    return false;
  }

  private leave(waiting: Waiting): void {
    waiting.done = true;
    this.count -= 1;
    this.bytes -= waiting.entry.bytes;
  }
}
