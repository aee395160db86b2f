import type { SequencerLimits, SequencerStore } from "@/lib/audit/sequencer";
import { trailStore } from "@/lib/audit/trail-store";
import { AppError } from "@/lib/core/errors";

/** Limits of a trail that refuses soon, for tests that wait for that. */
export const IMPATIENT: SequencerLimits = {
  maxBatch: 100,
  maxBatchBytes: 1e6,
  maxQueued: 1000,
  maxQueuedBytes: 1e7,
  maxParallel: 2,
  maxTogether: 16,
  enough: 12,
  maxWaitMs: 300,
  retryMs: 50,
};

/** A store that can be switched off, and can commit without saying so. */
export function switchableStore() {
  const state = { down: false, mute: false };
  const lost = () => new AppError("unavailable", "The database cannot be reached.");
  const away = lost();
  const store: SequencerStore = {
    ...trailStore,
    async write(tenantId, entries) {
      if (state.down) throw away;
      const written = await trailStore.write(tenantId, entries);
      if (state.mute) {
        state.down = true;
        throw lost();
      }
      return written;
    },
    async writeMissing(tenantId, entries) {
      if (state.down) throw away;
      return trailStore.writeMissing(tenantId, entries);
    },
    faultOf: (cause) => (cause === away ? "away" : trailStore.faultOf(cause)),
  };
  return { state, store };
}
