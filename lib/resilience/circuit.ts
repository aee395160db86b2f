import { count, EMPTY_WINDOW, totals, type Window } from "@/lib/resilience/circuit-window";

/** When a circuit opens, how long it rests, and what closes it again. Rates are from 0 to 1. */
export type CircuitPolicy = {
  /** Failures in a row that open it. */
  readonly failureThreshold: number;
  /** How far back the two rates look. */
  readonly windowMs: number;
  /** Calls within the window before a rate says anything. */
  readonly minimumCalls: number;
  /** Opens below this share of calls that succeeded. */
  readonly successRate: number;
  /** A call that takes longer is slow. */
  readonly slowMs: number;
  /** Opens from this share of slow calls. */
  readonly slowRate: number;
  /** How long it stays open the first time; doubled each time a trial fails. */
  readonly recoveryMs: number;
  readonly maxRecoveryMs: number;
  /** Spreads the recovery by this share both ways, so that many processes do not try at the same moment. */
  readonly jitter: number;
  /** Successes in half-open that close it. */
  readonly successThreshold: number;
  /** Trial calls in flight at once in half-open. */
  readonly halfOpenMaxCalls: number;
  /** After this a trial that was never heard of again (its process died) gives its place back. */
  readonly trialLeaseMs: number;
};

export const SEED_POLICY: CircuitPolicy = {
  failureThreshold: 5,
  windowMs: 60_000,
  minimumCalls: 20,
  successRate: 0.8,
  slowMs: 5_000,
  slowRate: 0.8,
  recoveryMs: 60_000,
  maxRecoveryMs: 600_000,
  jitter: 0.1,
  successThreshold: 3,
  halfOpenMaxCalls: 3,
  trialLeaseMs: 40_000,
};

export type OpenCause = "consecutive_failures" | "success_rate" | "slow_rate" | "trial_failed";

type Trial = { readonly id: number; readonly until: number };

/** `epoch` counts the changes of kind: it is how a late answer is told from a current one. */
export type CircuitState =
  | {
      readonly kind: "closed";
      readonly epoch: number;
      readonly consecutiveFailures: number;
      readonly window: Window;
    }
  | {
      readonly kind: "open";
      readonly epoch: number;
      readonly until: number;
      /** How many times in a row it opened without having closed. */
      readonly openings: number;
      readonly cause: OpenCause;
    }
  | {
      readonly kind: "half-open";
      readonly epoch: number;
      readonly openings: number;
      readonly trials: readonly Trial[];
      readonly lastTrial: number;
      readonly successes: number;
    }
  /** A person opened it; only a person closes it. */
  | { readonly kind: "forced-open"; readonly epoch: number }
  /** A person took it away: every call passes, and nothing is counted. */
  | { readonly kind: "disabled"; readonly epoch: number };

/** What a person decided over the machine. */
export type Override = "forced-open" | "disabled";

/** `abstain`: the call says nothing about the server's health (cancelled by the caller, refused by us, a 4xx). */
export type Vote = "success" | "failure" | "abstain";

export type Report = { readonly vote: Vote; readonly tookMs: number };

/** What a call that was let through is settled with. `trial` is 0 outside of half-open. */
export type Ticket = { readonly epoch: number; readonly trial: number };

/** Permission to call: the state to keep, and the ticket to settle with. */
export type Admission = { readonly state: CircuitState; readonly ticket: Ticket };

/** A moment: the time, and a number from 0 to 1 for the jitter. */
export type Moment = { readonly now: number; readonly random: number };

export const CLOSED: CircuitState = closed(0);

type Of<K extends CircuitState["kind"]> = Extract<CircuitState, { kind: K }>;

/** Lets a call through (and says how the state changes by it), or null. */
export function admit(state: CircuitState, policy: CircuitPolicy, now: number): Admission | null {
  switch (state.kind) {
    case "closed":
    case "disabled":
      return { state, ticket: { epoch: state.epoch, trial: 0 } };
    case "forced-open":
      return null;
    case "open": {
      if (now < state.until) return null;
      const { openings } = state;
      const opened = { kind: "half-open", epoch: state.epoch + 1, openings, trials: [], lastTrial: 0, successes: 0 };
      return tryOne(opened as Of<"half-open">, policy, now);
    }
    case "half-open":
      return tryOne(state, policy, now);
  }
}

function tryOne(state: Of<"half-open">, policy: CircuitPolicy, now: number): Admission | null {
  const running = state.trials.filter((trial) => now < trial.until);
  if (running.length >= policy.halfOpenMaxCalls) return null;
  const id = state.lastTrial + 1;
  const trials = [...running, { id, until: now + policy.trialLeaseMs }];
  return { state: { ...state, trials, lastTrial: id }, ticket: { epoch: state.epoch, trial: id } };
}

/** Counts a finished call. A call admitted under an older state, or a trial whose lease ran out, has no vote. */
export function settle(
  state: CircuitState,
  policy: CircuitPolicy,
  ticket: Ticket,
  report: Report,
  moment: Moment,
): CircuitState {
  if (ticket.epoch !== state.epoch) return state;
  switch (state.kind) {
    case "closed":
      return report.vote === "abstain" ? state : settleClosed(state, policy, report, moment);
    case "half-open":
      return settleTrial(state, policy, ticket, report.vote, moment);
    case "open":
    case "forced-open":
    case "disabled":
      return state;
  }
}

function settleClosed(
  state: Of<"closed">,
  policy: CircuitPolicy,
  { vote, tookMs }: Report,
  moment: Moment,
): CircuitState {
  const failed = vote === "failure";
  const slow = tookMs > policy.slowMs;
  const consecutiveFailures = failed ? state.consecutiveFailures + 1 : 0;
  const window = count(state.window, policy.windowMs, moment.now, failed, slow);
  const next: CircuitState = { kind: "closed", epoch: state.epoch, consecutiveFailures, window };
  const cause = reasonToOpen(next, policy, moment.now);
  return cause === null ? next : opened(state.epoch + 1, 1, cause, policy, moment);
}

function reasonToOpen(state: Of<"closed">, policy: CircuitPolicy, now: number): OpenCause | null {
  if (state.consecutiveFailures >= policy.failureThreshold) return "consecutive_failures";
  const { calls, failures, slow } = totals(state.window, policy.windowMs, now);
  if (calls < policy.minimumCalls) return null;
  if ((calls - failures) / calls < policy.successRate) return "success_rate";
  return slow / calls >= policy.slowRate ? "slow_rate" : null;
}

function settleTrial(
  state: Of<"half-open">,
  policy: CircuitPolicy,
  ticket: Ticket,
  vote: Vote,
  moment: Moment,
): CircuitState {
  if (!state.trials.some(({ id, until }) => id === ticket.trial && moment.now < until)) return state;
  if (vote === "failure") return opened(state.epoch + 1, state.openings + 1, "trial_failed", policy, moment);
  const trials = state.trials.filter(({ id }) => id !== ticket.trial);
  if (vote === "abstain") return { ...state, trials };
  const successes = state.successes + 1;
  return successes < policy.successThreshold ? { ...state, trials, successes } : closed(state.epoch + 1);
}

function closed(epoch: number): CircuitState {
  return { kind: "closed", epoch, consecutiveFailures: 0, window: EMPTY_WINDOW };
}

function opened(
  epoch: number,
  openings: number,
  cause: OpenCause,
  policy: CircuitPolicy,
  { now, random }: Moment,
): CircuitState {
  const doubled = Math.min(policy.recoveryMs * 2 ** (openings - 1), policy.maxRecoveryMs);
  const restMs = Math.min(Math.round(doubled * (1 + policy.jitter * (2 * random - 1))), policy.maxRecoveryMs);
  return { kind: "open", epoch, until: now + restMs, openings, cause };
}

/** Puts a person's decision into force, or takes it back: then it is closed and has counted nothing. */
export function override(state: CircuitState, wish: Override | null): CircuitState {
  if (wish !== null) return state.kind === wish ? state : { kind: wish, epoch: state.epoch + 1 };
  return state.kind === "forced-open" || state.kind === "disabled" ? closed(state.epoch + 1) : state;
}

/** The same state by a clock that is ahead by so much; what was counted while closed belongs to the clock it was counted by. */
export function byClockAhead(state: CircuitState, aheadMs: number): CircuitState {
  switch (state.kind) {
    case "open":
      return { ...state, until: state.until + aheadMs };
    case "half-open":
      return { ...state, trials: state.trials.map(({ id, until }) => ({ id, until: until + aheadMs })) };
    case "closed":
    case "forced-open":
    case "disabled":
      return state;
  }
}

/** How long a refused caller should wait; null where only a person can say. Trial calls end within moments. */
export function retryAfterMs(state: CircuitState, now: number): number | null {
  if (state.kind === "forced-open") return null;
  return state.kind === "open" ? Math.max(0, state.until - now) : 1_000;
}
