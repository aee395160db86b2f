import { payloadAad } from "@/lib/audit/prepare-entry";
import { inTenant } from "@/lib/db/in-tenant";
import { openSealed } from "@/lib/db/tenant-keys";

export type TrailEntry = {
  readonly type: string;
  readonly outcome: string;
  readonly target: string | null;
  /** Record and opened payload as text: everything that stands in the trail. */
  readonly text: string;
  readonly payload: { readonly before?: unknown; readonly after?: unknown } | null;
};

/** The tenant's whole trail, oldest first, with its payloads opened. */
export async function readTrail(tenantId: string): Promise<readonly TrailEntry[]> {
  const rows = await inTenant(tenantId, (tx) =>
    tx.auditEntry.findMany({ where: { tenantId }, orderBy: { seq: "asc" } }),
  );
  return Promise.all(
    rows.map(async ({ eventId, eventType, outcome, target, record, payload, payloadKeyId }) => {
      const plain =
        payload === null || payloadKeyId === null
          ? null
          : (await openSealed(tenantId, payloadKeyId, payloadAad(tenantId, eventId), Buffer.from(payload))).toString(
              "utf8",
            );
      const text = `${Buffer.from(record).toString("utf8")} ${plain ?? ""}`;
      return { type: eventType, outcome, target, text, payload: plain === null ? null : JSON.parse(plain) };
    }),
  );
}
