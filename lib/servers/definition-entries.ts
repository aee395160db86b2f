import "server-only";
import { appendInTransaction } from "@/lib/audit/append-in-transaction";
import type { EntryDraft } from "@/lib/audit/entry";
import type { TenantTx } from "@/lib/db/in-tenant";
import type { ToolChanges } from "@/lib/servers/pin-tools";

/** Who noticed, and where: a person who asked again, or the health loop. */
export type EntryBase = Pick<EntryDraft, "tenantId" | "actor" | "requestId"> & Partial<EntryDraft>;

/** Above this many at once, one entry tells of all: a server that was replaced must not fill the trail. */
const MAX_ENTRIES = 20;

/** One entry for each definition that is held from now on. Call it last in a transaction: it holds the tenant's chain. */
export async function recordHeld(
  tx: TenantTx,
  base: EntryBase,
  server: { readonly id: string; readonly slug: string },
  held: ToolChanges["held"],
): Promise<void> {
  if (held.length === 0) return;
  const common: EntryDraft = {
    ...base,
    phase: "system",
    eventType: "tool_definition.held",
    outcome: "success",
    server: server.slug,
    serverId: server.id,
  };
  if (held.length > MAX_ENTRIES) {
    await appendInTransaction(tx, { ...common, target: server.slug, count: held.length, payload: { after: held } });
    return;
  }
  for (const { name, before, after } of held) {
    const payload = { before: { sha256: before }, after: { sha256: after } };
    await appendInTransaction(tx, { ...common, tool: name, target: `${server.slug}/${name}`, payload });
  }
}
