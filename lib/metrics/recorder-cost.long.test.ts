import { afterAll, beforeAll, expect, it } from "vitest";
import { closeTrail } from "@/lib/audit/trail";
import { newId } from "@/lib/core/ids";
import { closeGateway, getGateway } from "@/lib/gateway/compose";
import { executeToolCall } from "@/lib/gateway/execute-tool-call";
import { startRecorder, stopRecorder } from "@/lib/metrics/recorder";
import type { TestAgent } from "@/lib/testing/factories";
import { createWorld, type World } from "@/lib/testing/gateway-world";
import { withTestDatabase } from "@/lib/testing/test-database";

withTestDatabase();

let world: World;
let agent: TestAgent;

beforeAll(async () => {
  world = await createWorld({ work: { tools: ["do"], map: { do: "w:do" }, deadlineMs: 30_000 } });
  agent = await world.agent("w:do");
});
afterAll(async () => {
  await closeGateway();
  await closeTrail();
  await world.close();
});

const CALLS = 500;
const CALLERS = 32;
const PAIRS = 40;

async function call(): Promise<void> {
  const outcome = await executeToolCall(getGateway(), {
    credential: { kind: "key", secret: agent.key },
    ...{ ref: { server: "work", tool: "do" }, args: {} },
    entrance: { requestId: newId(), door: "/api/mcp", ip: "127.0.0.1", userAgent: null },
  });
  if (!outcome.ok) throw outcome.error;
}

/** Processor time of a call in microseconds, storing its figures included. */
async function costOfCalls(isRecorded: boolean): Promise<number> {
  const before = process.cpuUsage();
  if (isRecorded) startRecorder();
  let left = CALLS;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  await stopRecorder();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / CALLS;
}

/** What a round costs that others on the machine disturbed little. */
const undisturbed = (rounds: readonly number[]): number =>
  rounds.toSorted((left, right) => left - right)[rounds.length >> 2] ?? Number.NaN;

it("a call costs less than three percent more with the recorder than without, taken in turns", async () => {
  for (let warm = 0; warm < 4; warm += 1) await costOfCalls(warm % 2 === 0);
  const [on, off]: [number[], number[]] = [[], []];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    // Whoever is second finds a warmer machine: they take turns at that too.
    for (const isRecorded of [pair % 2 === 0, pair % 2 !== 0]) {
      (isRecorded ? on : off).push(await costOfCalls(isRecorded));
    }
  }
  const without = undisturbed(off);
  const more = undisturbed(on) - without;
  const share = ((100 * more) / without).toFixed(2);
  process.stdout.write(
    `  a call without the recorder: ${without.toFixed(0)} µs; with it ${more.toFixed(1)} µs more (${share} %)\n`,
  );
  expect(more / without).toBeLessThan(0.03);
});
