import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answered } from "@/lib/testing/fault-gateway";
import type { Fault } from "@/lib/testing/fault-proxy";
import { ALL_FAULTS, BOUNDS, FAULTS } from "@/lib/testing/fault-table";
import { type FaultWorld, keepNeighbourCalling, mostTimers, openFaultWorld } from "@/lib/testing/fault-world";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const DEADLINE_MS = 1_000;
const SLACK_MS = 100;
const ROUNDS = 10;
const ROUND_MS = 800;
const FAULTY_PER_SECOND = 5;
const NEIGHBOUR_PER_SECOND = 50;
const MEGABYTE = 1_024 * 1_024;

/** Times in milliseconds, memory in bytes. */
type Seen = {
  readonly faulty: Answered[];
  readonly alone: Answered[];
  readonly beside: Answered[];
  /** What stayed in the heap and beside it once the rest was collected. */
  keptBytes: number;
  /** The most that was resident at any moment, beyond what was resident before. */
  peakBytes: number;
};

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const timesOf = (calls: readonly Answered[]): number[] => calls.map(({ tookMs }) => tookMs);
const part = (values: readonly number[], share: number): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length * share)] ?? Number.POSITIVE_INFINITY;
const p95 = (calls: readonly Answered[]): number => part(timesOf(calls), 0.95);
const longest = (calls: readonly Answered[]): number => Math.max(...timesOf(calls));

let world: FaultWorld;
let timers = 0;
beforeAll(async () => {
  world = await openFaultWorld({ faults: ALL_FAULTS, deadlineMs: DEADLINE_MS, withoutCircuits: true });
  const well = ALL_FAULTS.filter((fault) => !fault.startsWith("tls-"));
  const codes = await Promise.all(well.map(async (fault) => (await world.call(fault, "do")).code));
  expect(codes).toEqual(well.map(() => "ok"));
  timers = await mostTimers(world);
  // What a process needs once, it needs whether anything fails or not.
  for (const fault of ["wrong-id", "hundred-megabytes", "endless-events"] as const) await measure(fault);
}, 120_000);
afterAll(() => world?.close());

/** The neighbour for a while, alone or beside calls that meet the fault; those that are still out are waited for. */
async function round(fault: Fault | null, seen: Seen): Promise<void> {
  const neighbour = keepNeighbourCalling(world, NEIGHBOUR_PER_SECOND);
  const calls: Promise<Answered>[] = [];
  const call = () => fault !== null && calls.push(world.call(fault, "do"));
  const timer = setInterval(call, 1_000 / FAULTY_PER_SECOND);
  call();
  await pause(ROUND_MS);
  clearInterval(timer);
  (fault === null ? seen.alone : seen.beside).push(...(await neighbour.stop()));
  seen.faulty.push(...(await Promise.all(calls)));
}

/**
 * Turn and turn about, so that whatever else this machine does weighs on both alike. The circuit is off: every call meets
 * the fault itself, where a real one would soon be spared it.
 */
async function measure(fault: Fault): Promise<Seen> {
  // Only this one: every server is asked for its tools now and then, and a dozen floods at once would be taken for one.
  await world.arm(fault);
  const seen: Seen = { faulty: [], alone: [], beside: [], keptBytes: 0, peakBytes: 0 };
  const { gateway } = world;
  const before = await gateway.liveBytes();
  gateway.peakBytes();
  const resident = gateway.peakBytes();
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    await round(null, seen);
    await round(fault, seen);
  }
  seen.peakBytes = gateway.peakBytes() - resident;
  seen.keptBytes = (await gateway.liveBytes()) - before;
  await world.disarm(fault);
  return seen;
}

describe("a server that fails", () => {
  it.each(ALL_FAULTS)("by %s is told in time, leaves nothing behind and slows nobody else", async (fault) => {
    const seen = await measure(fault);
    const { faulty, alone, beside, keptBytes, peakBytes } = seen;
    const figures = {
      calls: faulty.length,
      longestMs: Math.round(longest(faulty)),
      longestAloneMs: Math.round(longest(alone)),
      aloneMs: Math.round(p95(alone)),
      besideMs: Math.round(p95(beside)),
      keptMb: Math.round(keptBytes / MEGABYTE),
      peakMb: Math.round(peakBytes / MEGABYTE),
    };
    process.stdout.write(`${fault} ${JSON.stringify(figures)}\n`);
    expect(faulty.length).toBeGreaterThan(ROUNDS);
    expect(faulty.filter(({ code }) => !(FAULTS[fault].codes as string[]).includes(code))).toEqual([]);
    expect(faulty.filter(({ entry }) => entry === undefined)).toEqual([]);
    expect([...alone, ...beside].filter(({ code }) => code !== "ok")).toEqual([]);
    const { megabytes, addedMs } = FAULTS[fault].bounds ?? BOUNDS;
    expect(keptBytes).toBeLessThan(BOUNDS.megabytes * MEGABYTE);
    expect(peakBytes).toBeLessThan(megabytes * MEGABYTE);
    world.gateway.hangUp();
    expect(await world.leftovers(timers, fault)).toEqual([]);

    // Every single call. How late this machine is for everybody anyway is no fault of the server's.
    const lateness = Math.max(0, longest(alone) - SLACK_MS);
    expect(longest(faulty)).toBeLessThanOrEqual(DEADLINE_MS + SLACK_MS + lateness);
    expect(p95(beside)).toBeLessThanOrEqual(Math.max(1.25 * p95(alone), p95(alone) + addedMs));
  });
});
