import { appendInTransaction } from "@/lib/audit/append-in-transaction";
import { draftOf } from "@/lib/audit/perform";
import { steadyClock } from "@/lib/core/clock";
import { actorId, type RequestContext } from "@/lib/core/context";
import { singleton } from "@/lib/core/singleton";
import type { TenantTx } from "@/lib/db/in-tenant";

const MAX_NOTED = 10_000;
/** `isThere`: somebody saw the entry after its transaction, which may have been undone. */
type Noted = { readonly at: number; readonly eventId: string; isThere: boolean };
const noted = () => singleton("audit.read-notes", () => new Map<string, Noted>());

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
  if (last !== undefined && now - last.at < note.windowMs && (await isThere(tx, ctx.tenantId, last))) return;
  const { eventId } = await appendInTransaction(tx, {
    ...draftOf(ctx, ctx.tenantId),
    phase: "admin",
    eventType: note.eventType,
    outcome: "success",
    target: note.target,
  });
  remember(key, { at: now, eventId, isThere: false });
}

/** Not remembered at the commit, of which only its caller hears: asked once, by whoever reads next. */
async function isThere(tx: TenantTx, tenantId: string, last: Noted): Promise<boolean> {
  if (last.isThere) return true;
  const rows = await tx.$queryRaw<unknown[]>`
    select 1 from audit_entries where tenant_id = ${tenantId}::uuid and event_id = ${last.eventId}::uuid`;
  last.isThere = rows.length > 0;
  return last.isThere;
}

function remember(key: string, note: Noted): void {
  const map = noted();
  map.delete(key);
  map.set(key, note);
  const [oldest] = map.keys();
  if (map.size > MAX_NOTED && oldest !== undefined) map.delete(oldest);
}
