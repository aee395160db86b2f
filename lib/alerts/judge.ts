import type { AlertState, Metric } from "@/lib/alerts/schemas";

/** What was measured of one subject in the window of a rule. */
export type Measured = {
  /** Calls that the value is of. */
  readonly calls: number;
  /** How many of them count against it. */
  readonly bad: number;
  /** Null where nothing was measured. */
  readonly value: number | null;
};

export type Threshold = { readonly metric: Metric; readonly threshold: number; readonly minCalls: number };

/**
 * What one evaluation says of one subject. `between`: no longer broken, and not yet so much better that it counts as well.
 * `quiet`: too few calls to say anything.
 */
export type Finding =
  | { readonly kind: "broken"; readonly since?: number; readonly value?: number; readonly calls?: number }
  | { readonly kind: "well" | "between"; readonly value?: number; readonly calls?: number }
  | { readonly kind: "quiet"; readonly calls?: number };

/** How far below its threshold, as a part of it, a value must come before it counts as well again. */
const MARGIN = 0.1;
/** A single call that goes wrong is no alert, however few there were. */
const FEWEST_BAD = 2;

/** What the figures say when held against a rule. */
export function findingOf({ metric, threshold, minCalls }: Threshold, { calls, bad, value }: Measured): Finding {
  if (value === null || calls < minCalls) return { kind: "quiet", calls };
  const measured = { value, calls };
  const [badness, limit] = metric === "availability" ? [1 - value, 1 - threshold] : [value, threshold];
  if (badness > limit + ROUNDING && bad >= FEWEST_BAD) return { kind: "broken", ...measured };
  return { kind: badness <= limit * (1 - MARGIN) + ROUNDING ? "well" : "between", ...measured };
}

/** 1 - 0.99 is not quite 0.01. */
const ROUNDING = 1e-9;

/** How an alert stands. Times are epoch milliseconds. It is all that one evaluation hands to the next. */
export type Standing = {
  readonly state: AlertState;
  readonly since: number;
  readonly firedAt: number | null;
  readonly resolvedAt: number | null;
  /** Evaluations in a row that found it well. */
  readonly wellRounds: number;
  readonly quietSince: number | null;
  readonly value: number | null;
  readonly worst: number | null;
  readonly calls: number | null;
};

export type Patience = {
  /** How long it must be broken before it fires. */
  readonly holdMs: number;
  /** How many evaluations in a row must find it well before it is over. */
  readonly wellRounds: number;
  /** How long there may be too few calls to judge before it is over for want of them. */
  readonly quietMs: number;
  readonly worse: "higher" | "lower";
};

/**
 * How an alert stands after one more evaluation; null where there is none. It fires once broken for as long as the rule
 * holds it back, and is over only after it was well for several evaluations in a row, or silent for long.
 */
export function judge(before: Standing | null, found: Finding, now: number, patience: Patience): Standing | null {
  if (before === null || before.state === "resolved")
    return found.kind === "broken" ? begin(found, now, patience) : null;
  switch (found.kind) {
    case "broken":
      return stay(before, found, now, patience);
    case "between":
      return before.state === "pending" ? end(measure(before, found, patience), now) : calm(before, found, 0, patience);
    case "well": {
      const rounds = before.wellRounds + 1;
      const standing = calm(before, found, rounds, patience);
      return before.state === "pending" || rounds >= patience.wellRounds ? end(standing, now) : standing;
    }
    case "quiet": {
      const quietSince = before.quietSince ?? now;
      const standing = { ...before, wellRounds: 0, quietSince };
      return before.state === "pending" || now - quietSince >= patience.quietMs ? end(standing, now) : standing;
    }
  }
}

type Broken = Extract<Finding, { kind: "broken" }>;

function begin(found: Broken, now: number, patience: Patience): Standing {
  const standing: Standing = {
    ...{ state: "pending", since: Math.min(found.since ?? now, now), firedAt: null, resolvedAt: null },
    ...{ wellRounds: 0, quietSince: null, value: null, worst: null, calls: null },
  };
  return stay(standing, found, now, patience);
}

function stay(before: Standing, found: Broken, now: number, patience: Patience): Standing {
  const standing = { ...measure(before, found, patience), wellRounds: 0, quietSince: null };
  if (before.state === "firing" || now - before.since < patience.holdMs) return standing;
  return { ...standing, state: "firing", firedAt: now };
}

const calm = (before: Standing, found: Finding, wellRounds: number, patience: Patience): Standing => ({
  ...measure(before, found, patience),
  ...{ wellRounds, quietSince: null },
});

const end = (standing: Standing, now: number): Standing => ({ ...standing, state: "resolved", resolvedAt: now });

function measure(before: Standing, found: Finding, { worse }: Patience): Standing {
  if (!("value" in found) || found.value === undefined) return before;
  const { value, calls = null } = found;
  const extreme = worse === "higher" ? Math.max : Math.min;
  return { ...before, value, calls, worst: before.worst === null ? value : extreme(before.worst, value) };
}
