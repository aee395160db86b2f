import type { AppendedEntry, EntryDraft } from "@/lib/audit/entry";
import { type PreparedEntry, prepareEntry } from "@/lib/audit/prepare-entry";
import { type RunSql, writeBatch } from "@/lib/audit/write-batch";
import type { PlatformTx, TenantTx } from "@/lib/db/in-tenant";

const runOn =
  (tx: TenantTx | PlatformTx): RunSql =>
  async ({ text }, values) =>
    tx.$queryRawUnsafe<Record<string, unknown>[]>(text, ...values);

/**
 * Appends an entry inside the caller's own transaction, so that a change and its record exist together or not at all.
 * Holds the tenant's chain until that transaction ends: call it last. A platform transaction reaches the platform's
 * chain, or the one named by `enterChain`.
 */
export async function appendInTransaction(tx: TenantTx | PlatformTx, draft: EntryDraft): Promise<AppendedEntry> {
  const [appended] = await appendAllInTransaction(tx, draft.tenantId, [draft]);
  return appended as AppendedEntry;
}

/** The same for what one act does to several things: an entry each, of one tenant, in one round trip. */
export async function appendAllInTransaction(
  tx: TenantTx | PlatformTx,
  tenantId: string,
  drafts: readonly EntryDraft[],
): Promise<readonly AppendedEntry[]> {
  const entries: PreparedEntry[] = [];
  for (const draft of drafts) entries.push(await prepareEntry(draft));
  return (await writeBatch(runOn(tx), tenantId, entries)).appended;
}
