import fc from "fast-check";
import { expect } from "vitest";
import {
  admit,
  type CircuitPolicy,
  type CircuitState,
  CLOSED,
  type Override,
  override,
  type Report,
  settle,
  type Ticket,
  type Vote,
} from "@/lib/resilience/circuit";

/**
 * The same rules told a second way: a log of what happened, judged by looking back over it,
 * instead of a state moved forward.
 */
type Seen =
  | { readonly what: "began"; readonly call: number; readonly at: number }
  | { readonly what: "ended"; readonly call: number; readonly vote: Vote; readonly slow: boolean; readonly at: number }
  | { readonly what: CircuitState["kind"]; readonly until: number };

class Model {
  private log: Seen[] = [{ what: "closed", until: 0 }];
  private readonly policy: CircuitPolicy;

  constructor(policy: CircuitPolicy) {
    this.policy = policy;
  }

  private changes() {
    return this.log.filter((seen) => seen.what !== "began" && seen.what !== "ended");
  }

  private change() {
    return this.changes().at(-1) ?? { what: "closed" as const, until: 0 };
  }

  kind(): CircuitState["kind"] {
    return this.change().what as CircuitState["kind"];
  }

  /** When an open circuit may be tried again. */
  until(): number {
    return (this.change() as { until: number }).until;
  }

  private era(): readonly Seen[] {
    return this.log.slice(this.log.indexOf(this.change() as Seen) + 1);
  }

  private running(now: number): readonly number[] {
    const ended = new Set(this.era().flatMap((seen) => (seen.what === "ended" ? [seen.call] : [])));
    return this.era().flatMap((seen) =>
      seen.what === "began" && !ended.has(seen.call) && now < seen.at + this.policy.trialLeaseMs ? [seen.call] : [],
    );
  }

  begin(call: number, now: number): boolean {
    if (this.kind() === "forced-open") return false;
    if (this.kind() === "open") {
      if (now < this.until()) return false;
      this.log.push({ what: "half-open", until: 0 });
    }
    if (this.kind() === "half-open" && this.running(now).length >= this.policy.halfOpenMaxCalls) return false;
    this.log.push({ what: "began", call, at: now });
    return true;
  }

  end(call: number, { vote, tookMs }: Report, now: number, random: number): void {
    const trial = this.kind() === "half-open";
    const known = trial ? this.running(now) : this.era().flatMap((seen) => (seen.what === "began" ? [seen.call] : []));
    if (!known.includes(call)) return;
    this.log.push({ what: "ended", call, vote, slow: tookMs > this.policy.slowMs, at: now });
    if (vote === "abstain" || this.kind() === "disabled") return;
    const votes = this.era().flatMap((seen) => (seen.what === "ended" && seen.vote !== "abstain" ? [seen] : []));
    if (!trial) return void (this.tooBad(votes, now) && this.open(1, now, random));
    const successes = votes.filter((each) => each.vote === "success").length;
    if (vote === "failure") this.open(this.openings() + 1, now, random);
    else if (successes >= this.policy.successThreshold) this.log.push({ what: "closed", until: 0 });
  }

  private tooBad(votes: readonly { vote: Vote; slow: boolean; at: number }[], now: number): boolean {
    const { failureThreshold, windowMs, minimumCalls, successRate, slowRate } = this.policy;
    const tail = votes.slice(-failureThreshold);
    if (tail.length === failureThreshold && tail.every((each) => each.vote === "failure")) return true;
    const slice = (at: number) => Math.floor((at * 12) / windowMs);
    const recent = votes.filter((each) => slice(each.at) > slice(now) - 12);
    if (recent.length < minimumCalls) return false;
    const good = recent.filter((each) => each.vote === "success").length;
    return good / recent.length < successRate || recent.filter((each) => each.slow).length / recent.length >= slowRate;
  }

  private openings(): number {
    const kinds = this.changes().map((seen) => seen.what);
    return kinds.slice(kinds.lastIndexOf("closed")).filter((kind) => kind === "open").length;
  }

  private open(openings: number, now: number, random: number): void {
    const { recoveryMs, maxRecoveryMs, jitter } = this.policy;
    const doubled = Math.min(maxRecoveryMs, recoveryMs * 2 ** (openings - 1));
    this.log.push({
      what: "open",
      until: now + Math.min(maxRecoveryMs, Math.round(doubled * (1 + jitter * (2 * random - 1)))),
    });
  }

  override(wish: Override | null): void {
    const forced = this.kind() === "forced-open" || this.kind() === "disabled";
    if (wish !== null && wish !== this.kind()) this.log.push({ what: wish, until: 0 });
    if (wish === null && forced) this.log.push({ what: "closed", until: 0 });
  }
}

const step = fc.oneof(
  { weight: 40, arbitrary: fc.constant({ do: "begin" as const }) },
  {
    weight: 50,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      pick: fc.nat(1_000),
      vote: fc.constantFrom<Vote>("success", "success", "failure", "failure", "failure", "abstain"),
      tookMs: fc.constantFrom(1, 49, 51, 900),
      random: fc.constantFrom(0, 0.25, 0.5, 0.999),
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.oneof(fc.nat(40), fc.constantFrom(120, 400)) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("override" as const),
      wish: fc.constantFrom<Override | null>("forced-open", "disabled", null, null, null),
    }),
  },
);

const policies = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 8 }),
  windowMs: fc.integer({ min: 12, max: 400 }),
  minimumCalls: fc.integer({ min: 1, max: 8 }),
  successRate: fc.constantFrom(0, 0.5, 0.8, 0.95),
  slowMs: fc.constant(50),
  slowRate: fc.constantFrom(0.5, 0.8, 1),
  recoveryMs: fc.integer({ min: 1, max: 100 }),
  maxRecoveryMs: fc.integer({ min: 100, max: 300 }),
  jitter: fc.constantFrom(0, 0.1),
  successThreshold: fc.integer({ min: 1, max: 4 }),
  halfOpenMaxCalls: fc.integer({ min: 1, max: 4 }),
  trialLeaseMs: fc.integer({ min: 10, max: 400 }),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The machine and the model side by side; throws as soon as they disagree. */
class Pair {
  private readonly model: Model;
  private readonly policy: CircuitPolicy;
  private readonly running = new Map<number, Ticket>();
  private state: CircuitState = CLOSED;
  private now = 0;
  private nextCall = 0;

  constructor(policy: CircuitPolicy) {
    this.policy = policy;
    this.model = new Model(policy);
  }

  take(each: Step): void {
    if (each.do === "wait") this.now += each.ms;
    if (each.do === "begin") this.begin(this.nextCall++);
    if (each.do === "end" && this.running.size > 0) {
      this.end([...this.running.keys()][each.pick % this.running.size] ?? 0, each, each.random);
    }
    if (each.do === "override") {
      this.state = override(this.state, each.wish);
      this.model.override(each.wish);
    }
    if (this.state.kind !== this.model.kind()) {
      throw new Error(`The circuit is ${this.state.kind}, the model ${this.model.kind()}.`);
    }
    if (this.state.kind === "open") expect(this.state.until).toBe(this.model.until());
  }

  private begin(call: number): void {
    const admission = admit(this.state, this.policy, this.now);
    expect(admission !== null).toBe(this.model.begin(call, this.now));
    if (admission === null) return;
    this.state = admission.state;
    this.running.set(call, admission.ticket);
  }

  private end(call: number, report: Report, random: number): void {
    const ticket = this.running.get(call) ?? { epoch: -1, trial: 0 };
    this.state = settle(this.state, this.policy, ticket, report, { now: this.now, random });
    this.running.delete(call);
    this.model.end(call, report, this.now, random);
  }
}

/** Drives the machine and the model with the same random events; they must agree after each. */
export function checkCircuitAgainstModel(numRuns: number): void {
  fc.assert(
    fc.property(policies, fc.array(step, { maxLength: 80, size: "max" }), (policy, steps) => {
      const pair = new Pair(policy);
      for (const each of steps) pair.take(each);
    }),
    { numRuns },
  );
}
