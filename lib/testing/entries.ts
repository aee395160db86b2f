import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { inPlatform, inTenant } from "@/lib/db/in-tenant";

export type SeenEntry = {
  readonly type: string;
  readonly reason: string | null;
  readonly outcome: string;
  readonly actor: string;
  readonly target: string | null;
};

/** The entries of a chain of one type, oldest first, optionally only of one actor. */
export async function entriesOf(
  tenantId: string,
  eventType: string,
  actorName?: string,
): Promise<readonly SeenEntry[]> {
  const select = { eventType: true, reasonCode: true, outcome: true, actorName: true, target: true } as const;
  const where = { tenantId, eventType, ...(actorName === undefined ? {} : { actorName }) };
  const query = { where, select, orderBy: { seq: "asc" } } as const;
  const rows =
    tenantId === PLATFORM_TENANT_ID
      ? await inPlatform((tx) => tx.auditEntry.findMany(query))
      : await inTenant(tenantId, (tx) => tx.auditEntry.findMany(query));
  return rows.map((row) => ({
    type: row.eventType,
    reason: row.reasonCode,
    outcome: row.outcome,
    actor: row.actorName,
    target: row.target,
  }));
}
