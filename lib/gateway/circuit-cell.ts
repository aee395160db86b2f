import type { Clock } from "@/lib/core/clock";
import type { AppError, ErrorCode } from "@/lib/core/errors";
import type { CircuitName } from "@/lib/gateway/circuit-entries";
import type { CircuitStore } from "@/lib/gateway/shared-state/circuit-store";
import {
  admit,
  type CircuitPolicy,
  type CircuitState,
  CLOSED,
  type Moment,
  type Override,
  override,
  type Report,
  settle,
  type Ticket,
} from "@/lib/resilience/circuit";

/** A call that was let through: how the circuit stood, and what to settle it with. */
export type Admitted = { readonly kind: CircuitState["kind"]; readonly ticket: Ticket };

/** Told when this process, and no other, changed the kind of a circuit. */
export type OnChange = (cell: Cell, policy: CircuitPolicy, from: CircuitState, to: CircuitState) => void;

export type CellOptions = {
  readonly name: CircuitName;
  /** Names the circuit in the store. */
  readonly key: string;
  readonly store: CircuitStore;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onChange: OnChange;
};

/**
 * One circuit as this process holds it: the state is what all share, but for what was counted while closed. Closed, it
 * counts on its own and asks nobody; opening, trying and closing are agreed on in the store. Each process counts its own
 * failures in a row and its own window: the circuit opens everywhere once one process has seen enough.
 */
export class Cell {
  readonly name: CircuitName;
  readonly key: string;
  private readonly options: CellOptions;
  private state: CircuitState = CLOSED;
  private failure: ErrorCode | null = null;
  /** What was counted: a fault of a connection that calls share ends all of them, and is one fault all the same. */
  private readonly counted = new WeakSet<AppError>();
  private askedAt = 0;
  private isRetired = false;
  /** Trials of this process ask the store one after the other, so that they do not compete among themselves. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(options: CellOptions) {
    this.options = options;
    this.name = options.name;
    this.key = options.key;
  }

  current(): CircuitState {
    return this.state;
  }

  lastFailure(): ErrorCode | null {
    return this.failure;
  }

  /** Another one counts in its place: calls that are still under way here neither vote nor change anything any more. */
  retire(): void {
    this.isRetired = true;
  }

  usedAt(): number {
    return this.askedAt;
  }

  /** True once its kind has changed: then others have to know of it. */
  hasChanged(): boolean {
    return this.state.epoch > 0;
  }

  /** True when a call would be refused now, without taking anything. */
  refuses(policy: CircuitPolicy, wish: Override | null): boolean {
    this.askedAt = this.now();
    if (wish !== null || this.isForced()) this.override(wish);
    return this.state.kind !== "closed" && admit(this.state, policy, this.askedAt) === null;
  }

  /** Null when the call is refused. Asks the store only for a trial call. */
  enter(policy: CircuitPolicy): Admitted | null | Promise<Admitted | null> {
    const isTrial = this.state.kind === "half-open" || this.state.kind === "open";
    if (!isTrial || !this.options.store.isShared()) return this.tryAlone(policy);
    if (admit(this.state, policy, this.now()) === null) return null;
    const mine = this.turn.then(() => this.tryTogether(policy));
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  leave(policy: CircuitPolicy, ticket: Ticket, given: Report, fault: AppError | undefined): void {
    if (this.isRetired) return;
    if (given.vote === "failure") this.failure = fault?.code ?? null;
    const report = this.countedOnce(ticket, given, fault);
    const isShared = this.options.store.isShared();
    if (ticket.trial > 0 && isShared) {
      this.turn = this.turn.then(() => this.settleTogether(policy, ticket, report)).catch(() => undefined);
      return;
    }
    const before = this.state;
    if (before.kind !== "closed" || !isShared) {
      this.settleAlone(policy, ticket, report);
      return;
    }
    this.state = settle(before, policy, ticket, report, this.moment());
    // From here on this process refuses; the others hear of it from the store.
    if (this.state.kind !== before.kind) void this.openTogether(policy, before, this.state).catch(() => undefined);
  }

  override(wish: Override | null): void {
    this.state = override(this.state, wish);
  }

  /** Takes over what another process stored, or tells it what this one knows better. */
  reconcile(stored: CircuitState | null): void {
    if (this.isForced()) return;
    const mine = this.state;
    // Also of a closed one: where the store forgot how often it changed, whoever begins would count from nought, and what it
    // opens would look older than what the others know.
    const knowsBetter = (stored?.epoch ?? 0) < mine.epoch;
    if (stored !== null && !knowsBetter) this.adopt(stored);
    if (!knowsBetter) return;
    const tell = (shared: CircuitState) => (shared.epoch < mine.epoch ? mine : shared);
    void this.options.store.change(this.key, CLOSED, tell).catch(() => undefined);
  }

  /** A late call has no vote, so it must not use up that of a current one. */
  private countedOnce({ epoch }: Ticket, report: Report, fault: AppError | undefined): Report {
    if (report.vote !== "failure" || fault === undefined || epoch !== this.state.epoch) return report;
    if (this.counted.has(fault)) return { ...report, vote: "abstain" };
    this.counted.add(fault);
    return report;
  }

  private tell(policy: CircuitPolicy, from: CircuitState, to: CircuitState): void {
    if (!this.isRetired) this.options.onChange(this, policy, from, to);
  }

  private now(): number {
    return this.options.clock.now();
  }

  private moment(): Moment {
    return { now: this.now(), random: this.options.random() };
  }

  private isForced(): boolean {
    return this.state.kind === "forced-open" || this.state.kind === "disabled";
  }

  private adopt(shared: CircuitState): void {
    if (this.isForced() || shared.epoch < this.state.epoch) return;
    if (shared.epoch === this.state.epoch && shared.kind === "closed") return;
    this.state = this.asKnown(shared);
  }

  /** Of an opening that is known here the time measured here stands: the store's is a time of day, which may be set meanwhile. */
  private asKnown(shared: CircuitState): CircuitState {
    const mine = this.state;
    const isKnown = mine.kind === "open" && shared.kind === "open" && mine.epoch === shared.epoch;
    return isKnown && mine.openings === shared.openings ? { ...shared, until: mine.until } : shared;
  }

  private tryAlone(policy: CircuitPolicy): Admitted | null {
    const before = this.state;
    const admission = admit(before, policy, this.now());
    if (admission === null) return null;
    this.state = admission.state;
    if (this.state.kind !== before.kind) this.tell(policy, before, this.state);
    return { kind: this.state.kind, ticket: admission.ticket };
  }

  private async tryTogether(policy: CircuitPolicy): Promise<Admitted | null> {
    // Others of this process may have taken the last place while this one waited for its turn.
    const { kind } = this.state;
    if (kind === "closed" || this.isForced()) return this.tryAlone(policy);
    if (admit(this.state, policy, this.now()) === null) return null;
    let ticket: Ticket | null = null;
    let before: CircuitState = this.state;
    const changed = await this.options.store.change(this.key, this.state, (shared) => {
      before = shared;
      const admission = admit(this.asKnown(shared), policy, this.now());
      ticket = admission?.ticket ?? null;
      return admission?.state ?? shared;
    });
    if (changed === null) return this.tryAlone(policy);
    this.adopt(changed.state);
    if (changed.won && changed.state.kind !== before.kind) {
      this.tell(policy, before, changed.state);
    }
    // A circuit that another process has closed lets the call through without a change.
    if (changed.state.kind === "closed") return this.tryAlone(policy);
    return changed.won && ticket !== null ? { kind: "half-open", ticket } : null;
  }

  private settleAlone(policy: CircuitPolicy, ticket: Ticket, report: Report): void {
    const before = this.state;
    this.state = settle(before, policy, ticket, report, this.moment());
    if (this.state.kind !== before.kind) this.tell(policy, before, this.state);
  }

  private async settleTogether(policy: CircuitPolicy, ticket: Ticket, report: Report): Promise<void> {
    const moment = this.moment();
    let before: CircuitState = this.state;
    const changed = await this.options.store.change(this.key, this.state, (shared) => {
      before = shared;
      return settle(shared, policy, ticket, report, moment);
    });
    if (changed === null) return this.settleAlone(policy, ticket, report);
    this.adopt(changed.state);
    const { state, won } = changed;
    if (won && state.kind !== before.kind) this.tell(policy, before, state);
  }

  /** This process saw enough: the first one to say so opens the circuit for all. */
  private async openTogether(policy: CircuitPolicy, before: CircuitState, opened: CircuitState): Promise<void> {
    const changed = await this.options.store.change(this.key, before, (shared) =>
      shared.kind === "closed" ? { ...opened, epoch: shared.epoch + 1 } : shared,
    );
    if (changed !== null) this.adopt(changed.state);
    if (changed === null || changed.won) this.tell(policy, before, changed?.state ?? opened);
  }
}
