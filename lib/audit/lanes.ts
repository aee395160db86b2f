import type { Waiting } from "@/lib/audit/backlog";

/** The entries of one tenant, in their order. */
export type Lane = {
  readonly tenantId: string;
  queue: Waiting[];
  inFlight: Waiting[];
  busy: boolean;
  /** Since its last batch failed for want of a database: when it is tried again. */
  retryAt: number;
};

export const makeLane = (tenantId: string): Lane => ({ tenantId, queue: [], inFlight: [], busy: false, retryAt: 0 });

export function setDoubt(batch: readonly Waiting[], inDoubt: boolean): void {
  for (const waiting of batch) waiting.inDoubt = inDoubt;
}

/** What one batch may hold. */
export type BatchSize = { readonly maxBatch: number; readonly maxBatchBytes: number };
/** Tenants whose batches may share a transaction, and what they may hold together. */
type SharedSize = BatchSize & { readonly maxTogether: number };

/** Moves the next batch of a lane out of its queue. */
export function takeBatch(lane: Lane, { maxBatch, maxBatchBytes }: BatchSize): Waiting[] {
  let bytes = 0;
  let count = 0;
  for (const waiting of lane.queue) {
    bytes += waiting.entry.bytes;
    if (count === maxBatch || (count > 0 && bytes > maxBatchBytes)) break;
    count += 1;
  }
  return lane.queue.splice(0, count);
}

/**
 * Removes from `ready`, which must not be empty, its first lane and those after it that fit into the same transaction. A lane
 * that failed just now is taken alone: what became of its entries has to be seen first.
 */
export function takeTogether(ready: Lane[], { maxTogether, maxBatch, maxBatchBytes }: SharedSize): Lane[] {
  let count = 0;
  let bytes = 0;
  let end = 0;
  for (const lane of ready) {
    count += lane.queue.length;
    bytes += lane.queue.reduce((sum, { entry }) => sum + entry.bytes, 0);
    const isWhole = lane.retryAt === 0 && count <= maxBatch && bytes <= maxBatchBytes;
    if (end === maxTogether || (end > 0 && !isWhole)) break;
    end += 1;
    if (!isWhole) break;
  }
  return ready.splice(0, end);
}
