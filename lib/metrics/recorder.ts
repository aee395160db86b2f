import "server-only";
import { type LandedEntry, listenToOutcomes } from "@/lib/audit/landed";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { type Cell, type FinishedCall, makeCallCells } from "@/lib/metrics/call-cells";
import { makeCallTotals } from "@/lib/metrics/call-totals";
import { storeCircuitChanges } from "@/lib/metrics/circuit-history";
import { storeCells } from "@/lib/metrics/store-cells";

const FLUSH_EVERY_MS = 2_000;
/** Late enough that a call whose entry had to wait for the database still finds its minute. */
const FORGET_AFTER_MS = 120_000;
const MAX_AT_ONCE = 4;

const makeRecorder = () => ({
  cells: makeCallCells(),
  totals: makeCallTotals(),
  timer: null as NodeJS.Timeout | null,
  flushing: null as Promise<void> | null,
  lastFlushMs: 0,
  failedFlushes: 0,
});
const recorder = singleton("metrics.recorder", makeRecorder);

/** Counts every call whose outcome the trail takes from now on, and stores the figures every two seconds. */
export function startRecorder(): void {
  if (recorder.timer !== null) return;
  listenToOutcomes(recordOutcome);
  recorder.timer = setInterval(() => {
    flushCalls().catch(() => undefined);
  }, FLUSH_EVERY_MS).unref();
}

/** Stores what is not stored yet, and counts no more. */
export async function stopRecorder(): Promise<void> {
  listenToOutcomes(null);
  if (recorder.timer !== null) clearInterval(recorder.timer);
  recorder.timer = null;
  await recorder.flushing?.catch(() => undefined);
  await flushCalls().catch(() => undefined);
}

/** Counts one outcome. In memory only: nobody waits for the database. */
export function recordOutcome(entry: LandedEntry): void {
  const call = toFinishedCall(entry);
  if (call === null) return;
  recorder.cells.add(call);
  recorder.totals.add(call);
}

let minute = "";
let minuteMs = 0;

/** Six decimals are more than `Date.parse` is quick with. */
function epochMs(ts: string): number {
  const head = ts.slice(0, 16);
  if (head !== minute) {
    minute = head;
    minuteMs = Date.parse(`${head}Z`);
  }
  return minuteMs + Number(ts.slice(17, 23)) * 1_000;
}

/** Stores everything that was counted before this was called. Throws when the database does not take it. */
export async function flushCalls(): Promise<void> {
  await recorder.flushing?.catch(() => undefined);
  recorder.flushing ??= flush().finally(() => {
    recorder.flushing = null;
  });
  await recorder.flushing;
}

async function flush(): Promise<void> {
  const startedAt = performance.now();
  const byTenant = new Map<string, Cell[]>();
  for (const cell of recorder.cells.dirty()) {
    const cells = byTenant.get(cell.tenantId) ?? [];
    cells.push(cell);
    byTenant.set(cell.tenantId, cells);
  }
  const failed: unknown[] = [];
  const waiting = [...byTenant];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await storeCells(...next).catch((cause: unknown) => failed.push(cause));
    }
  };
  await Promise.all(Array.from({ length: MAX_AT_ONCE }, worker));
  await storeCircuitChanges().catch((cause: unknown) => failed.push(cause));
  recorder.cells.forget(new Date(Date.now() - FORGET_AFTER_MS).toISOString().slice(0, 16));
  recorder.lastFlushMs = performance.now() - startedAt;
  if (failed.length === 0) return;
  recorder.failedFlushes += 1;
  logger.warn({ err: failed[0], tenants: failed.length }, "figures were not stored; trying again");
  throw failed[0];
}

/** What the recorder says about itself and about all calls since the start. */
export const recorderFigures = () => ({
  ...recorder.cells.figures(),
  totals: recorder.totals.read(),
  lastFlushMs: recorder.lastFlushMs,
  failedFlushes: recorder.failedFlushes,
});

const FATES: Readonly<Record<string, FinishedCall["fate"]>> = {
  "tool_call.finished": "finished",
  "tool_call.lost": "lost",
  "tool_call.denied": "refused",
  "tool_call.refused": "refused",
};

function toFinishedCall({ ts, draft }: LandedEntry): FinishedCall | null {
  const fate = FATES[draft.eventType];
  if (fate === undefined) return null;
  const { outcome, reasonCode = null } = draft;
  return {
    tenantId: draft.tenantId,
    ts,
    server: draft.server ?? "",
    tool: draft.tool ?? "",
    caller: draft.actor.id,
    callerName: draft.actor.name,
    fate,
    outcome:
      outcome === "failure" && reasonCode === "cancelled" ? "cancelled" : outcome === "pending" ? "unknown" : outcome,
    code: reasonCode,
    durationMs: draft.latencyMs ?? 0,
    upstreamMs: draft.upstreamMs ?? 0,
    queueMs: draft.queueMs ?? 0,
    policyMs: draft.policyMs ?? 0,
    auditMs: draft.auditMs ?? 0,
    outcomeMs: Math.max(0, Date.now() - epochMs(ts)),
    fromCache: draft.cache === "hit",
  };
}
