import { afterEach, expect, it } from "vitest";
import { type FaultWorld, keepNeighbourCalling, openFaultWorld } from "@/lib/testing/fault-world";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

const CALLS = 100;
const MEGABYTE = 1_024 * 1_024;

let world: FaultWorld;
afterEach(() => world?.close());

/** Many calls at once to a server that answers each with 9 MB, and how much memory that took. */
async function manyAtOnce(limitMb: number) {
  const env = { ANSWER_MEMORY_MB: String(limitMb) };
  world = await openFaultWorld({ faults: ["large-text"], deadlineMs: 30_000, env });
  expect((await world.call("large-text", "do")).code).toBe("ok");
  await world.arm();
  const neighbour = keepNeighbourCalling(world, 20);
  await world.gateway.liveBytes();
  world.gateway.peakBytes();
  const resident = world.gateway.peakBytes();
  const answers = await Promise.all(Array.from({ length: CALLS }, () => world.call("large-text", "do")));
  const megabytes = Math.round((world.gateway.peakBytes() - resident) / MEGABYTE);
  const countOf = (code: string) => answers.filter((answer) => answer.code === code).length;
  const found = { megabytes, ok: countOf("ok"), refused: countOf("upstream_protocol") };
  process.stdout.write(`limit ${limitMb} MB: ${JSON.stringify(found)}\n`);
  expect((await neighbour.stop()).filter(({ code }) => code !== "ok")).toEqual([]);
  expect(answers.every(({ entry }) => entry !== undefined)).toBe(true);
  return found;
}

it("refuses large answers that there is no memory for, and nothing else", async () => {
  const { megabytes, ok, refused } = await manyAtOnce(128);
  expect(ok + refused).toBe(CALLS);
  expect(refused).toBeGreaterThan(0);
  expect(ok).toBeGreaterThan(0);
  expect(megabytes).toBeLessThan(320);
  // No circuit opened for want of memory that is ours.
  expect((await world.call("large-text", "do")).code).toBe("ok");
});

it("would take as much memory as servers like otherwise", async () => {
  const { megabytes, ok } = await manyAtOnce(8_192);
  expect(ok).toBe(CALLS);
  expect(megabytes).toBeGreaterThan(500);
});
