import { appendInTransaction } from "@/lib/audit/append-in-transaction";
import { draftOf } from "@/lib/audit/perform";
import { steadyClock } from "@/lib/core/clock";
import { actorId, type RequestContext } from "@/lib/core/context";
import { singleton } from "@/lib/core/singleton";
import { onCommit, type TenantTx } from "@/lib/db/in-tenant";

const MAX_NOTED = 10_000;
const noted = () => singleton("audit.read-notes", () => new Map<string, number>());

/**
 * Records that somebody read the trail (PCI DSS 10.2.1.3). A console asks again every few seconds, so the same
 * person reading the same thing is one entry per window; another process or a restart starts a new one.
 */
export async function noteRead(
  tx: TenantTx,
  ctx: RequestContext,
  note: {
    readonly eventType: "trail.searched" | "payload.read";
    readonly target: string;
    readonly windowMs: number;
    readonly per: string;
  },
): Promise<void> {
  const key = `${ctx.tenantId}|${actorId(ctx.actor)}|${note.eventType}|${note.per}`;
  const now = steadyClock.now();
  const last = noted().get(key);
  if (last !== undefined && now - last < note.windowMs) return;
  await appendInTransaction(tx, {
    ...draftOf(ctx, ctx.tenantId),
    phase: "admin",
    eventType: note.eventType,
    outcome: "success",
    target: note.target,
  });
  // What was rolled back was not noted, and the next reading must be.
  onCommit(tx, () => remember(key, now));
}

function remember(key: string, now: number): void {
  const map = noted();
  map.delete(key);
  map.set(key, now);
  const [oldest] = map.keys();
  if (map.size > MAX_NOTED && oldest !== undefined) map.delete(oldest);
}
