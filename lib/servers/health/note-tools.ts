import "server-only";
import { appendInTransaction } from "@/lib/audit/append-in-transaction";
import { bus } from "@/lib/core/bus";
import { inTenant } from "@/lib/db/in-tenant";
import { warmKey } from "@/lib/db/tenant-keys";
import { type EntryBase, recordHeld } from "@/lib/servers/definition-entries";
import { requireLocked, serverChanged } from "@/lib/servers/internal";
import { storeListed } from "@/lib/servers/refresh-server";
import type { RegisteredServer } from "@/lib/servers/registered-server";
import type { ProbedTool } from "@/lib/servers/schemas";
import { suggestPermissions } from "@/lib/servers/suggest-permission";

/** What a server listed; `cut` says in words where that is not all. */
export type ListedTools = { readonly tools: readonly ProbedTool[]; readonly cut: string | null };

/** True when the list is, tool by tool, what is in force: then there is nothing to write. One that was cut says nothing of the rest. */
export function isAsApproved({ tools }: Pick<RegisteredServer, "tools">, listed: ListedTools): boolean {
  return (
    (listed.cut !== null || listed.tools.length === tools.size) &&
    listed.tools.every((tool) => {
      const known = tools.get(tool.name);
      if (known === undefined || known.held !== undefined) return false;
      return known.sha256 === tool.definitionSha256 && (known.definition.title ?? null) === tool.title;
    })
  );
}

/** Compares a list with what is stored, keeps what differs, and tells the trail. */
export async function noteTools(server: RegisteredServer, listed: ListedTools, base: EntryBase): Promise<void> {
  const { tenantId, id, slug } = server;
  const suggested = suggestPermissions(slug, listed.tools);
  const tools = listed.tools.map((tool) => ({
    ...tool,
    suggestedPermission: suggested.get(tool.name) ?? tool.suggestedPermission,
  }));
  await warmKey(tenantId, "payload");
  const changed = await inTenant(tenantId, async (tx) => {
    const row = await requireLocked(tx, tenantId, id);
    if (row.status !== "enabled") return false;
    const changes = await storeListed(tx, row, tools, { isDraft: false, isCut: listed.cut !== null });
    if (Object.values(changes).every(({ length }) => length === 0)) return false;
    await tx.server.update({ where: { tenantId_id: { tenantId, id } }, data: { updatedAt: new Date() } });
    await recordHeld(tx, base, server, changes.held);
    await appendInTransaction(tx, {
      ...base,
      ...{ phase: "system", eventType: "server.tools_changed", outcome: "success" },
      ...{ server: slug, serverId: id, target: slug, payload: { after: changes } },
    });
    return true;
  });
  if (changed) bus.publish(serverChanged(tenantId, id));
}
