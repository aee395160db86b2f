import fc from "fast-check";
import { expect, it } from "vitest";
import { type Admitted, Cell } from "@/lib/gateway/circuit-cell";
import type { CircuitStore } from "@/lib/gateway/shared-state/circuit-store";
import { type CircuitPolicy, type CircuitState, SEED_POLICY, type Vote } from "@/lib/resilience/circuit";

const POLICY: CircuitPolicy = {
  ...SEED_POLICY,
  failureThreshold: 2,
  recoveryMs: 1_000,
  maxRecoveryMs: 4_000,
  trialLeaseMs: 3_000,
};
const PROCESSES = 3;
const KEY = "circuit";
const LONG = { minLength: 20, maxLength: 60 };

type Step =
  | { readonly what: "enter" | "look" | "restart" | "lose" | "find"; readonly process: number }
  | { readonly what: "leave"; readonly process: number; readonly vote: Vote }
  | { readonly what: "wait"; readonly ms: number }
  | { readonly what: "empty" };
/** Steps that belong together: three calls that go well after a rest, or so many that fail. */
type Story = readonly Step[];

type Call = { readonly cell: Cell; readonly admitted: Admitted; readonly until: number };
type Process = { cell: Cell; reaches: boolean; readonly calls: Call[] };

/** Lets everything that waits go on. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

class Several {
  now = 0;
  readonly stored = new Map<string, CircuitState>();
  readonly processes: Process[] = [];

  constructor() {
    for (let nth = 0; nth < PROCESSES; nth += 1) {
      const process = { reaches: true, calls: [] } as unknown as Process;
      process.cell = this.begin(process);
      this.processes.push(process);
    }
  }

  private begin(process: Process): Cell {
    const { stored } = this;
    const store: CircuitStore = {
      isShared: () => process.reaches,
      async change(key, from, step) {
        await Promise.resolve();
        if (!process.reaches) return null;
        const shared = stored.get(key) ?? from;
        const next = step(shared);
        if (next !== shared) stored.set(key, next);
        return { state: next, won: next !== shared };
      },
      read: async () => null,
    };
    const name = { tenantId: "t", serverId: "s", slug: "s", tool: null };
    const clock = { now: () => this.now };
    return new Cell({ name, key: KEY, store, clock, random: () => 0.5, onChange: () => undefined });
  }

  look({ cell, reaches }: Process): void {
    if (reaches) cell.reconcile(this.stored.get(KEY) ?? null);
  }

  /** What each process does by itself every half second. */
  async lookAll(): Promise<void> {
    for (const [nth] of this.processes.entries()) await this.take({ what: "look", process: nth });
  }

  async take(step: Step): Promise<void> {
    if (step.what === "wait") this.now += step.ms;
    else if (step.what === "empty") this.stored.clear();
    else await this.takeIn(step, this.processes[step.process % PROCESSES] as Process);
    await settled();
  }

  private async takeIn(step: Exclude<Step, { readonly what: "wait" | "empty" }>, process: Process): Promise<void> {
    const { cell, calls } = process;
    switch (step.what) {
      case "enter": {
        if (cell.refuses(POLICY, null)) return;
        const admitted = await cell.enter(POLICY);
        if (admitted !== null) calls.push({ cell, admitted, until: this.now + POLICY.trialLeaseMs });
        return;
      }
      case "leave": {
        const call = calls.shift();
        call?.cell.leave(POLICY, call.admitted.ticket, { vote: step.vote, tookMs: 1 }, undefined);
        return;
      }
      case "look":
        return this.look(process);
      case "restart":
        calls.length = 0;
        process.cell = this.begin(process);
        return this.look(process);
      case "lose":
      case "find":
        process.reaches = step.what === "find";
    }
  }
}

const process = fc.nat({ max: PROCESSES - 1 });
const vote = fc.constantFrom<Vote>("success", "failure", "failure", "abstain");
const calling = [
  fc.record({ what: fc.constant("enter" as const), process }),
  fc.record({ what: fc.constant("enter" as const), process }),
  fc.record({ what: fc.constant("leave" as const), process, vote }),
  fc.record({ what: fc.constant("leave" as const), process, vote }),
  fc.record({ what: fc.constant("look" as const), process }),
  fc.record({ what: fc.constant("wait" as const), ms: fc.constantFrom(10, 900, 1_100, 2_500, 4_100) }),
];
const threeOf = (nth: number, given: Vote): Story =>
  Array.from({ length: 3 }).flatMap(() => [
    { what: "enter", process: nth },
    { what: "leave", process: nth, vote: given },
  ]);
const rest: Step = { what: "wait", ms: 4_100 };
const stories = fc.oneof(
  process.map((nth): Story => [rest, ...threeOf(nth, "success")]),
  process.map((nth) => threeOf(nth, "failure")),
);
const forgetting = [
  ...calling,
  fc.record({ what: fc.constant("restart" as const), process }),
  fc.record({ what: fc.constant("empty" as const) }),
];
const troubled = [...forgetting, fc.record({ what: fc.constantFrom("lose" as const, "find" as const), process })];

it("lets at most three trials be under way over all processes, and has all their places back when they are over", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...calling), { minLength: 20, maxLength: 80 }), async (steps) => {
      const several = new Several();
      for (const step of steps) {
        await several.take(step);
        const state = several.stored.get(KEY);
        // Trials of an opening that is over have no place in the next one.
        const current = several.processes.flatMap(({ calls }) =>
          calls.filter(({ admitted }) => admitted.ticket.epoch === state?.epoch),
        );
        if (state?.kind === "half-open") {
          const running = current.filter(({ admitted, until }) => admitted.ticket.trial > 0 && several.now < until);
          expect(running.length).toBeLessThanOrEqual(POLICY.halfOpenMaxCalls);
        }
      }
      for (const each of several.processes) {
        while (each.calls.length > 0)
          await several.take({ what: "leave", process: several.processes.indexOf(each), vote: "abstain" });
      }
      const state = several.stored.get(KEY);
      if (state?.kind === "half-open") expect(state.trials.filter(({ until }) => several.now < until)).toEqual([]);
    }),
    { numRuns: 400 },
  );
}, 60_000);

it("is the same circuit again in all processes once they reach the store, whatever happened to it and to them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...troubled), { minLength: 20, maxLength: 80 }), async (steps) => {
      const several = new Several();
      for (const step of steps) await several.take(step);
      for (const [nth] of several.processes.entries()) await several.take({ what: "find", process: nth });
      for (let round = 0; round < 3; round += 1) await several.lookAll();
      const known = several.processes.map(({ cell }) => {
        const { kind, epoch } = cell.current();
        return `${kind} ${epoch}`;
      });
      expect(new Set(known).size).toBe(1);
    }),
    { numRuns: 400 },
  );
}, 60_000);

it("rests everywhere as long as the one that opened it said, although the store forgets and processes begin anew", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          stories,
          fc.oneof(...forgetting).map((step): Story => [step]),
        ),
        LONG,
      ),
      async (told) => {
        const several = new Several();
        let rests = 0;
        for (const step of told.flat()) {
          await several.take(step);
          await several.lookAll();
          const states = several.processes.map(({ cell }) => cell.current());
          for (const state of states) if (state.kind === "open") rests = Math.max(rests, state.until);
          if (several.now < rests) expect(states.map(({ kind }) => kind)).toEqual(Array(PROCESSES).fill("open"));
        }
      },
    ),
    { numRuns: 400 },
  );
}, 60_000);
