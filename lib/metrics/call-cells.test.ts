import { expect, it } from "vitest";
import { type Cell, type FinishedCall, makeCallCells, OTHERS } from "@/lib/metrics/call-cells";

const TENANT = "0199ffff-ffff-7fff-bfff-fffffffffffe";
const call = (over: Partial<FinishedCall> = {}): FinishedCall => ({
  ...{
    tenantId: TENANT,
    ts: "2026-11-20T13:44:12.123456Z",
    server: "files",
    tool: "read",
    caller: "a",
    callerName: "A",
  },
  ...{ fate: "finished", outcome: "success", code: null, durationMs: 10, upstreamMs: 8, queueMs: 0, fromCache: false },
  ...{ policyMs: 1, auditMs: 1, outcomeMs: 2 },
  ...over,
});
const sum = (cells: readonly Cell[], level: Cell["level"]): number =>
  cells.filter((cell) => cell.level === level).reduce((total, { calls }) => total + calls, 0);

it("a call is in the figures of its tenant, server, tool and caller, of its own minute", () => {
  const cells = makeCallCells();
  cells.add(call());
  cells.add(call({ ts: "2026-11-20T13:45:00.000000Z" }));
  cells.add(call({ caller: "b" }));
  const made = cells
    .dirty()
    .map(({ level, minute, server, tool, caller, calls }) => [level, minute, server, tool, caller, calls]);
  expect(made).toEqual([
    ["tenant", "2026-11-20T13:44", "", "", "", 2],
    ["server", "2026-11-20T13:44", "files", "", "", 2],
    ["tool", "2026-11-20T13:44", "files", "read", "", 2],
    ["caller", "2026-11-20T13:44", "files", "", "a", 1],
    ["tenant", "2026-11-20T13:45", "", "", "", 1],
    ["server", "2026-11-20T13:45", "files", "", "", 1],
    ["tool", "2026-11-20T13:45", "files", "read", "", 1],
    ["caller", "2026-11-20T13:45", "files", "", "a", 1],
    ["caller", "2026-11-20T13:44", "files", "", "b", 1],
  ]);
});

it("past the limit the tenant's figures stay true to the call, and what was folded is said", () => {
  const cells = makeCallCells({ maxPaths: 20, maxInventedNames: 500 });
  for (let index = 0; index < 1_000; index += 1) cells.add(call({ tool: `tool_${index}`, durationMs: index }));
  const held = cells.dirty();
  expect(held.length).toBeLessThan(70);
  expect(sum(held, "tenant")).toBe(1_000);
  expect(sum(held, "server")).toBe(1_000);
  expect(held.find(({ server }) => server === OTHERS)?.calls).toBe(980);
  expect(cells.figures().folded).toBe(980);
});

it("names that a caller makes up are few an hour, and every refusal is counted", () => {
  const cells = makeCallCells({ maxPaths: 10_000, maxInventedNames: 5 });
  const refused = { fate: "refused", outcome: "denied", code: "permission_denied" } as const;
  for (let index = 0; index < 100; index += 1) cells.add(call({ ...refused, tool: `made_up_${index}` }));
  // What really runs has its name whatever was made up before.
  cells.add(call({ tool: "real" }));
  const held = cells.dirty();
  expect(sum(held, "tenant")).toBe(101);
  expect(held.filter(({ level, tool }) => level === "tool" && tool.startsWith("made_up"))).toHaveLength(5);
  expect(held.find(({ level, tool }) => level === "tool" && tool === OTHERS)?.denied).toBe(95);
  expect(held.find(({ level, tool }) => level === "tool" && tool === "real")?.successes).toBe(1);
});

it("lets go of what is stored, and a late call of that minute is a cell of its own", () => {
  const cells = makeCallCells();
  cells.add(call());
  cells.forget("2026-11-20T13:50");
  expect(sum(cells.dirty(), "tenant")).toBe(1);
  const [first] = cells.dirty();
  for (const cell of cells.dirty()) cell.dirty = false;
  cells.forget("2026-11-20T13:50");
  expect(cells.figures().cells).toBe(0);
  cells.add(call());
  const [late] = cells.dirty();
  expect(late).toMatchObject({ level: "tenant", calls: 1 });
  expect(late?.id).not.toBe(first?.id);
});
