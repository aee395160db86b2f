import { isAppError } from "@/lib/core/errors";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";
import { isLostConnection } from "@/lib/db/lost-connection";

/** An append that took longer than this is trouble, although it was taken in the end. */
const SLOW_MS = 2_000;
/** How long after its last sign a trouble is over; what comes later is another one. */
export const TROUBLE_REST_MS = 30_000;

/** What kept entries of one tenant from being written in this process. Times are epoch milliseconds. */
export type TrailTrouble = {
  readonly tenantId: string;
  /** When the first entry concerned came. */
  readonly since: number;
  /** When the last one was refused, or written at last. */
  readonly lastAt: number;
  /** True once an entry was written in time again. */
  readonly isOver: boolean;
  readonly refused: number;
  readonly slow: number;
  readonly longestMs: number;
  /** In words that are safe to show; the log has the rest. */
  readonly cause: string;
};

type Held = { trouble: TrailTrouble; told: number };

/** In memory, because the database may be what is away. The log hears of it at once. */
const held = singleton("audit.trouble", () => ({ tenants: new Map<string, Held>(), fault: { at: 0, words: "" } }));

/** Notes why a batch could not be written: who waited too long for it is told no cause. */
export function noteFault(cause: unknown): void {
  const words = isLostConnection(cause) ? "the database cannot be reached" : "the database does not take them";
  held.fault = { at: Date.now(), words };
}

/** Notes how an append went: how long it took, and what refused it. Costs nothing while all is well. */
export function noteAppend(tenantId: string, tookMs: number, refusal?: unknown): void {
  const isRefused = isAppError(refusal) && refusal.code === "audit_unavailable";
  if (isRefused || tookMs >= SLOW_MS) noteTrouble(tenantId, tookMs, isRefused);
  else if (held.tenants.size > 0) noteWell(tenantId);
}

function noteTrouble(tenantId: string, tookMs: number, isRefused: boolean): void {
  const now = Date.now();
  const { trouble, told } = current(tenantId, now) ?? { trouble: begin(tenantId, now - tookMs), told: 0 };
  const next: TrailTrouble = {
    ...{ ...trouble, lastAt: now, isOver: false, cause: causeNow(now) },
    ...{ refused: trouble.refused + (isRefused ? 1 : 0), slow: trouble.slow + (isRefused ? 0 : 1) },
    longestMs: Math.max(trouble.longestMs, tookMs),
  };
  held.tenants.set(tenantId, { trouble: next, told });
}

/** The trouble that goes on; one that was told and has rested is no more. */
function current(tenantId: string, now: number): Held | undefined {
  const found = held.tenants.get(tenantId);
  return found !== undefined && isDone(found, now) ? undefined : found;
}

const isDone = ({ trouble, told }: Held, now: number): boolean =>
  trouble.lastAt <= told && now - trouble.lastAt > TROUBLE_REST_MS;

function begin(tenantId: string, since: number): TrailTrouble {
  logger.error(
    { tenantId, cause: causeNow(Date.now()) },
    "entries of the trail are not written in time, or not at all",
  );
  return { tenantId, since, lastAt: since, isOver: false, refused: 0, slow: 0, longestMs: 0, cause: "" };
}

const causeNow = (now: number): string =>
  now - held.fault.at < TROUBLE_REST_MS ? held.fault.words : "they waited too long for the database";

function noteWell(tenantId: string): void {
  const found = held.tenants.get(tenantId);
  if (found === undefined || found.trouble.isOver) return;
  const { since, lastAt, refused, slow } = found.trouble;
  found.trouble = { ...found.trouble, isOver: true };
  logger.warn({ tenantId, lastedMs: Math.round(lastAt - since), refused, slow }, "entries are written in time again");
}

/** Troubles that changed since they were handed over; what was, and has rested, is forgotten. */
export function untoldTroubles(now = Date.now()): readonly TrailTrouble[] {
  for (const [tenantId, each] of held.tenants) if (isDone(each, now)) held.tenants.delete(tenantId);
  return [...held.tenants.values()].filter(({ trouble, told }) => trouble.lastAt > told).map(({ trouble }) => trouble);
}

/** What was handed over is safe elsewhere. */
export function troubleTold({ tenantId, lastAt }: TrailTrouble): void {
  const found = held.tenants.get(tenantId);
  if (found !== undefined) found.told = Math.max(found.told, lastAt);
}
