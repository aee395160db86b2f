import { expect, it } from "vitest";
import type { Measured } from "@/bench/load";
import { tableOf } from "@/bench/series";

const measured = (cpuMsPerCall: number, failed = 0): Measured => ({
  calls: 100,
  callsPerSecond: 1_000,
  p50Ms: 2,
  p95Ms: 4,
  cpuMsPerCall,
  databaseMsPerCall: 0.1,
  residentMb: 150,
  failed,
  wrong: 0,
  firstFailure: null,
});

it("compares the median of a row with that of the first, shows how far its rounds are apart, and adds failures up", () => {
  const table = tableOf("tools", [
    { row: 10, rounds: [measured(0.2), measured(0.22), measured(0.18)] },
    { row: 1_000, rounds: [measured(0.3), measured(0.25, 1), measured(0.2, 2)] },
  ]);
  const rows = table.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  const [head, , first, second] = rows;
  expect(head?.slice(1, 5)).toEqual(["tools", "CPU ms/call", "from first", "own spread"]);
  expect(first?.slice(1, 5)).toEqual(["10", "0.200", "+0.0 %", "±10.0 %"]);
  expect(second?.slice(1, 5)).toEqual(["1000", "0.250", "+25.0 %", "±20.0 %"]);
  expect(second?.slice(-3, -1)).toEqual(["3", "0"]);
});
