import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fault } from "@/lib/testing/fault-proxy";
import { ALL_FAULTS, FAULTS } from "@/lib/testing/fault-table";
import { type FaultWorld, keepNeighbourCalling, mostTimers, openFaultWorld } from "@/lib/testing/fault-world";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const DEADLINE_MS = 2_500;
/** What a call may take beside the deadline and the machine's own lateness. faults.long.test.ts holds the bound itself. */
const SLACK_MS = 2_000;
const MEMORY = 64 * 1_024 * 1_024;

let world: FaultWorld;
beforeAll(async () => {
  world = await openFaultWorld({ faults: ALL_FAULTS, deadlineMs: DEADLINE_MS });
}, 120_000);
afterAll(() => world?.close());

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Looks until it holds; the last look counts. */
async function eventually(holds: () => Promise<boolean> | boolean, patienceMs = 30_000): Promise<boolean> {
  for (const until = Date.now() + patienceMs; Date.now() < until; await pause(200)) if (await holds()) return true;
  return holds();
}

async function callBoth(fault: Fault) {
  const answers = await Promise.all([world.call(fault, "do"), world.call(fault, "read")]);
  return answers.map((answer) => ({ fault, ...answer }));
}

describe("servers that fail in every way", () => {
  it("give their callers a typed error in time, leave nothing behind, and hurt no other tenant", async () => {
    const { gateway } = world;
    const wellFirst = ALL_FAULTS.filter((fault) => !fault.startsWith("tls-"));
    const before = await Promise.all(wellFirst.map((fault) => world.call(fault, "do")));
    expect(before.map(({ code }) => code)).toEqual(wellFirst.map(() => "ok"));
    gateway.hangUp();
    const timers = await mostTimers(world);
    const live = await gateway.liveBytes();

    await world.arm();
    const neighbour = keepNeighbourCalling(world, 50);
    const light = ALL_FAULTS.filter((fault) => FAULTS[fault].isHeavy !== true);
    const seen = (await Promise.all(light.map(callBoth))).flat();
    for (const fault of ALL_FAULTS.filter((each) => FAULTS[each].isHeavy)) seen.push(...(await callBoth(fault)));
    const neighbours = await neighbour.stop();

    expect(seen.filter(({ fault, code }) => !(FAULTS[fault].codes as string[]).includes(code))).toEqual([]);
    // How late this machine is for everybody anyway. Whether the neighbour is slowed is for the long suite to judge.
    const lateness = Math.max(...neighbours.map(({ tookMs }) => tookMs));
    expect(seen.filter(({ tookMs }) => tookMs > DEADLINE_MS + SLACK_MS + lateness)).toEqual([]);
    expect(seen.filter(({ entry }) => entry === undefined)).toEqual([]);
    expect(neighbours.filter(({ code }) => code !== "ok")).toEqual([]);
    expect(neighbours.length).toBeGreaterThan(50);

    gateway.hangUp();
    expect(await world.leftovers(timers)).toEqual([]);
    expect((await gateway.liveBytes()) - live).toBeLessThan(MEMORY);
  }, 120_000);

  it("are asked again only for a tool that says it is read-only, never after a timeout, and work again once they are well", async () => {
    await world.disarm();
    const asked = await world.asked();
    const wrong = ALL_FAULTS.flatMap((fault) =>
      (["do", "read"] as const)
        .map((tool) => ({ fault, tool, asked: asked[fault]?.[tool] ?? 0, may: FAULTS[fault].asked[tool] }))
        .filter((each) => each.asked > each.may),
    );
    expect(wrong).toEqual([]);
    // On a slow machine a call may have ended before it was sent; not all of them.
    expect(ALL_FAULTS.filter((fault) => asked[fault]?.["do"] === 1).length).toBeGreaterThan(ALL_FAULTS.length / 2);
    expect(asked["hang"]?.["do"]).toBe(1);
    const codes = new Map<Fault, string>();
    await eventually(async () => {
      const waiting = ALL_FAULTS.filter((fault) => !fault.startsWith("tls-") && codes.get(fault) !== "ok");
      for (const fault of waiting) codes.set(fault, (await world.call(fault, "do")).code);
      return waiting.every((fault) => codes.get(fault) === "ok");
    });
    expect([...codes].filter(([, code]) => code !== "ok")).toEqual([]);
  }, 60_000);
});
