import type { CircuitBand, CircuitKind, CircuitTimeline } from "@/lib/metrics/schemas";

/** One stored change. `at` in epoch milliseconds. */
export type StoredChange = {
  readonly at: number;
  readonly state: CircuitKind;
  readonly reason: string;
  readonly by: string | null;
};
type Window = { readonly from: number; readonly to: number };
type Stretch = Window & StoredChange;

/** More cannot be told apart on a chart. */
const MAX_BANDS = 400;

/** How a circuit stood over a time, from its changes in order: the last one before `from` says how it begins. */
export function timelineOf(changes: readonly StoredChange[], window: Window): Omit<CircuitTimeline, "server" | "tool"> {
  const stretches = toStretches(changes, window);
  const timeIn: Record<CircuitKind, number> = { closed: 0, open: 0, "half-open": 0, "forced-open": 0, disabled: 0 };
  for (const { state, from, to } of stretches) timeIn[state] += to - from;
  const opens = stretches.filter(({ at, state }) => isOpen(state) && at >= window.from).length;
  return { opens, timeIn, bands: thin(stretches, window).map(toBand) };
}

const isOpen = (state: CircuitKind): boolean => state === "open" || state === "forced-open";

/** Several processes may tell of the same state: the first one counts. */
function toStretches(changes: readonly StoredChange[], { from, to }: Window): readonly Stretch[] {
  if (from >= to) return [];
  const found: Stretch[] = [];
  let current: Stretch = { at: from, from, to, state: "closed", reason: "", by: null };
  for (const change of changes) {
    if (change.at >= to) break;
    if (change.state === current.state && change.at > from) continue;
    const at = Math.max(from, change.at);
    if (at > current.from) found.push({ ...current, to: at });
    current = { ...change, from: at, to };
  }
  found.push(current);
  return found;
}

/** Where there are too many to be drawn, those that are too short to be seen become part of the one before. */
function thin(stretches: readonly Stretch[], { from, to }: Window): readonly Stretch[] {
  if (stretches.length <= MAX_BANDS) return stretches;
  const shortest = (to - from) / MAX_BANDS;
  const kept: Stretch[] = [];
  for (const stretch of stretches) {
    const before = kept.at(-1);
    if (before !== undefined && stretch.to - before.from < shortest) kept[kept.length - 1] = worse(before, stretch);
    else kept.push(stretch);
  }
  return kept;
}

/** Of two in one place the one that people must not miss. */
const worse = (one: Stretch, next: Stretch): Stretch => ({
  ...(one.state === "closed" ? next : one),
  from: one.from,
  to: next.to,
});

const toBand = ({ from, to, state, reason, by }: Stretch): CircuitBand => ({
  ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString(), state },
  ...{ reason: reason === "" ? null : reason, by },
});
