import { type FinishedCall, makeCallCells } from "@/lib/metrics/call-cells";
import { storeCells } from "@/lib/metrics/store-cells";

/** Stores figures as the recorder would have for so many calls that ended at that time. */
export async function storeCalls(
  tenantId: string,
  at: number,
  count: number,
  over: Partial<FinishedCall> = {},
): Promise<void> {
  const call: FinishedCall = {
    ...{ tenantId, ts: new Date(at).toISOString(), server: "files", tool: "read", caller: "a", callerName: "Ann" },
    ...{ fate: "finished", outcome: "success", code: null, durationMs: 100, upstreamMs: 70, queueMs: 20 },
    ...{ policyMs: 1, auditMs: 1, outcomeMs: 1, fromCache: false },
    ...over,
  };
  const cells = makeCallCells();
  for (let done = 0; done < count; done += 1) cells.add(call);
  await storeCells(tenantId, cells.dirty());
}

export const FAILED = { outcome: "failure", code: "tool_error" } as const;
export const TIMED_OUT = { outcome: "failure", code: "upstream_timeout" } as const;
export const HELD_BACK = { fate: "refused", outcome: "failure", code: "circuit_open", durationMs: 0 } as const;
