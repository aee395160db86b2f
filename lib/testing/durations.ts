import { addDuration, type Histogram, mergeHistograms, percentileMs } from "@/lib/metrics/histogram";

/** A repeatable source of numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

type Draw = (random: () => number) => number;
const logNormal: Draw = (random) => Math.exp(3 + 0.8 * normal(random));

/** Durations in milliseconds as servers have them. */
export const SPREADS: Readonly<Record<string, Draw>> = {
  uniform: (random) => 1 + 999 * random(),
  "log-normal": logNormal,
  // A third is answered from a cache.
  bimodal: (random) => (random() < 1 / 3 ? 2 + 0.3 * Math.abs(normal(random)) : 400 + 40 * Math.abs(normal(random))),
  "log-normal with outliers": (random) => (random() < 0.001 ? 30_000 + 90_000 * random() : logNormal(random)),
};

export type Measured = { readonly histogram: Histogram; readonly exact: Float64Array };

const MINUTES = 180;

/** Durations drawn over three hours in two processes, kept by minute; and what becomes of them. */
export function measureSpread(name: string, size: number) {
  const draw = SPREADS[name];
  if (draw === undefined) throw new RangeError(name);
  const random = seeded(size);
  const all = new Float64Array(size);
  const cells = Array.from({ length: 2 * MINUTES }, (): { minute: number; histogram: Histogram; drawn: number[] } => ({
    minute: 0,
    histogram: new Map(),
    drawn: [],
  }));
  for (let index = 0; index < size; index += 1) {
    const duration = Math.round(draw(random) * 1_000) / 1_000;
    const which = Math.floor(random() * cells.length);
    const cell = cells[which];
    if (cell === undefined) continue;
    cell.minute = which % MINUTES;
    addDuration(cell.histogram, duration);
    cell.drawn.push(duration);
    all[index] = duration;
  }
  const whole: Histogram = new Map();
  for (const duration of all) addDuration(whole, duration);
  const exact = all.sort();
  const hours = [0, 1, 2].map((hour): Measured => {
    const within = cells.filter(({ minute }) => Math.floor(minute / 60) === hour);
    const drawn = Float64Array.from(within.flatMap((cell) => cell.drawn)).sort();
    return { histogram: mergeHistograms(within.map(({ histogram }) => histogram)), exact: drawn };
  });
  const merged: Measured = { histogram: mergeHistograms(hours.map(({ histogram }) => histogram)), exact };
  return { whole: { histogram: whole, exact } satisfies Measured, merged, hours };
}

/** The largest relative error of any percentile that people look at. */
export function worstError({ histogram, exact }: Measured): number {
  const errors = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1].map((p) => {
    const truth = exact[Math.max(1, Math.ceil(p * exact.length)) - 1] ?? Number.NaN;
    return Math.abs((percentileMs(histogram, p) ?? Number.NaN) - truth) / truth;
  });
  // A percentile that is not there is no small error.
  return errors.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...errors);
}
