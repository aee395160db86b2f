import "server-only";
import { trail } from "@/lib/audit/trail";
import { newId, PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { logger } from "@/lib/core/logger";
import { singleton } from "@/lib/core/singleton";

const WINDOW_MS = 60_000;
const MAX_ADDRESSES = 5_000;

export type Refusal = {
  readonly reason: string;
  /** Who they said they were; proven by nothing. */
  readonly claimed?: string | null;
  readonly ip: string | null;
  readonly userAgent?: string | null;
  readonly requestId?: string;
  readonly authMethod: string;
  readonly target?: string;
};

type Window = { readonly since: number; suppressed: number };
const windows = (): Map<string, Window> => singleton("auth.refusals", () => new Map());

/**
 * Records a refused sign-in or credential in the platform's chain. The first from an address and reason is written
 * at once; more of the same within a minute are counted into the next entry, so that noise cannot fill the trail.
 */
export async function recordRefusal(refusal: Refusal, now = Date.now()): Promise<void> {
  const count = admit(`${refusal.ip ?? "?"} ${refusal.reason}`, now);
  if (count === 0) return;
  await trail().append({
    tenantId: PLATFORM_TENANT_ID,
    phase: "auth",
    eventType: "session.refused",
    outcome: "denied",
    decision: "denied",
    reasonCode: refusal.reason,
    actor: { type: "anonymous", id: "anonymous", name: refusal.claimed?.slice(0, 200) ?? "anonymous" },
    authMethod: refusal.authMethod,
    requestId: refusal.requestId ?? newId(),
    ip: refusal.ip,
    userAgent: refusal.userAgent ?? null,
    ...(refusal.target === undefined ? {} : { target: refusal.target }),
    ...(count === 1 ? {} : { count }),
  });
}

/** How many refusals the entry to write now stands for; 0 means this one is only counted. */
function admit(key: string, now: number): number {
  const open = windows();
  const window = open.get(key);
  if (window !== undefined && now - window.since < WINDOW_MS) {
    window.suppressed += 1;
    return 0;
  }
  if (open.size >= MAX_ADDRESSES) forgetOld(open, now);
  open.set(key, { since: now, suppressed: 0 });
  return 1 + (window?.suppressed ?? 0);
}

function forgetOld(open: Map<string, Window>, now: number): void {
  for (const [key, window] of open) if (now - window.since >= WINDOW_MS) open.delete(key);
  if (open.size < MAX_ADDRESSES) return;
  logger.warn({ addresses: open.size }, "too many addresses with refused sign-ins; starting their count again");
  open.clear();
}
