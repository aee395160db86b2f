import { z } from "zod";
import { hasPermission } from "@/lib/audit/perform";
import { payloadAad } from "@/lib/audit/prepare-entry";
import { noteRead } from "@/lib/audit/read-note";
import type { EntryDetail } from "@/lib/audit/schemas";
import { isIntact, STORED_COLUMNS, type StoredEntry } from "@/lib/audit/stored-entry";
import { parseRecord, toEntryView } from "@/lib/audit/views";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import type { TenantTx } from "@/lib/db/in-tenant";
import { openSealed } from "@/lib/db/tenant-keys";
import { defineRead } from "@/lib/db/verbs";

const PAYLOAD_WINDOW_MS = 5 * 60_000;

type Row = StoredEntry & { readonly payload: Uint8Array | null };
type Neighbour = { readonly seq: string; readonly event_id: string };

/** One entry in full. What was sent and answered is opened only for `audit:payload`, and that is itself recorded. */
export const getEntry = defineRead({
  permission: "audit:read",
  input: z.object({ id: z.uuid() }),
  run: async (tx, ctx, { id }): Promise<EntryDetail> => {
    const [row] = await tx.$queryRawUnsafe<Row[]>(
      `select ${STORED_COLUMNS}, e.payload from audit_entries e where e.tenant_id = $1::uuid and e.event_id = $2::uuid limit 1`,
      ctx.tenantId,
      id,
    );
    if (row === undefined) throw new AppError("not_found", "There is no such entry in this tenant's trail.");
    const neighbours = await neighboursOf(tx, ctx.tenantId, row.seq);
    const seq = Number(row.seq);
    return {
      ...toEntryView(row),
      record: parseRecord(row.record) ?? {},
      recordSha256: row.record_sha256,
      prevHash: row.prev_hash,
      hash: row.hash,
      hashValid: isIntact(row),
      ...(await payloadOf(tx, ctx, row)),
      related: await relatedTo(tx, ctx.tenantId, row),
      previousId: neighbours.find((each) => Number(each.seq) === seq - 1)?.event_id ?? null,
      nextId: neighbours.find((each) => Number(each.seq) === seq + 1)?.event_id ?? null,
    };
  },
});

async function payloadOf(
  tx: TenantTx,
  ctx: RequestContext,
  row: Row,
): Promise<Pick<EntryDetail, "payload" | "payloadAccess">> {
  if (row.payload === null || row.payload_key_id === null) return { payload: null, payloadAccess: "none" };
  if (!hasPermission(ctx, "audit:payload")) return { payload: "forbidden", payloadAccess: "forbidden" };
  const { event_id: target } = row;
  await noteRead(tx, ctx, { eventType: "payload.read", target, windowMs: PAYLOAD_WINDOW_MS, per: target });
  try {
    const plain = await openSealed(ctx.tenantId, row.payload_key_id, payloadAad(ctx.tenantId, target), row.payload);
    return { payload: JSON.parse(plain.toString("utf8")), payloadAccess: "shown" };
  } catch {
    // The key was destroyed, or the bytes were changed; the chain check says which.
    return {
      payload: { $unreadable: "The sealed bytes cannot be opened with this tenant's keys." },
      payloadAccess: "shown",
    };
  }
}

async function neighboursOf(tx: TenantTx, tenantId: string, seq: string): Promise<readonly Neighbour[]> {
  return tx.$queryRawUnsafe<Neighbour[]>(
    `select seq::text as seq, event_id from audit_entries
      where tenant_id = $1::uuid and seq in ($2::bigint - 1, $2::bigint + 1)`,
    tenantId,
    seq,
  );
}

type RelatedRow = {
  readonly seq: string;
  readonly event_id: string;
  readonly ts: string;
  readonly event_type: string;
  readonly phase: string;
  readonly outcome: string;
};

async function relatedTo(tx: TenantTx, tenantId: string, row: Row): Promise<EntryDetail["related"]> {
  if (row.call_id === null) return [];
  const rows = await tx.$queryRawUnsafe<RelatedRow[]>(
    `select e.seq::text as seq, e.event_id, e.event_type, e.phase, e.outcome, e.ts::text as ts
      from audit_entries e
      where e.tenant_id = $1::uuid and e.call_id = $2::uuid and e.event_id <> $3::uuid order by e.seq limit 50`,
    tenantId,
    row.call_id,
    row.event_id,
  );
  return rows.map((each) => ({
    id: each.event_id,
    seq: Number(each.seq),
    type: each.event_type,
    phase: each.phase,
    outcome: each.outcome,
    ts: new Date(each.ts).toISOString(),
  }));
}
