import type { LightView } from "@/lib/metrics/schemas";

/** How far back the light looks. */
export const LIGHT_WINDOW_MS = 5 * 60_000;

const CRITICAL_RATE = 0.1;
const WARNING_RATE = 0.05;
const WARNING_MEAN_MS = 3_000;

export type Seen = {
  /** Calls that reached the server. */
  readonly reached: number;
  readonly reachedFailures: number;
  /** Calls that were not sent because its circuit was open or its places were taken. */
  readonly heldBack: number;
  readonly totalMs: number;
};

/**
 * The light for what was seen in the last five minutes. Calls that were held back count as failed: to a caller they are, and
 * without them a server that nobody may call any more would look as if nothing were wrong.
 */
export function lightOf({ reached, reachedFailures, heldBack, totalMs }: Seen): LightView {
  const attempts = reached + heldBack;
  if (attempts === 0) return { light: "UNKNOWN", reason: "No calls in the last five minutes." };
  const failed = reachedFailures + heldBack;
  const rate = failed / attempts;
  const errors = `${failed} of ${attempts} calls in the last five minutes failed${heldNote(heldBack)} (${percent(rate)})`;
  if (rate > CRITICAL_RATE) return { light: "CRITICAL", reason: `${errors}: above 10 %.` };
  if (rate > WARNING_RATE) return { light: "WARNING", reason: `${errors}: above 5 %.` };
  const meanMs = reached === 0 ? 0 : totalMs / reached;
  if (meanMs > WARNING_MEAN_MS) {
    return {
      light: "WARNING",
      reason: `Calls in the last five minutes took ${seconds(meanMs)} on average: above 3 s.`,
    };
  }
  return { light: "HEALTHY", reason: `${errors}, and they took ${seconds(meanMs)} on average.` };
}

const heldNote = (heldBack: number): string => (heldBack === 0 ? "" : `, ${heldBack} of them not sent to the server`);
const percent = (rate: number): string => `${(rate * 100).toFixed(1)} %`;
const seconds = (ms: number): string => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`);
