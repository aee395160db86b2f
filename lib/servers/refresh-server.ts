import "server-only";
import { readLatestVersion } from "@/lib/access/map-versions";
import { ruleKey } from "@/lib/access/permission-map";
import { draftOf } from "@/lib/audit/perform";
import type { RequestContext } from "@/lib/core/context";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import { recordHeld } from "@/lib/servers/definition-entries";
import { readServerDetail } from "@/lib/servers/detail";
import { askSoon } from "@/lib/servers/health/health-store";
import {
  type FreshProbe,
  type LockedServer,
  probeStored,
  requireLocked,
  requireUnchanged,
  type ServerRow,
  serverChanged,
  storedProbe,
} from "@/lib/servers/internal";
import { NO_CHANGES, pinTools, type Terms, type ToolChanges } from "@/lib/servers/pin-tools";
import { type ProbedTool, serverRef } from "@/lib/servers/schemas";

/** Makes the stored tools what was listed; what was approved is compared, and kept where the server says something else. */
export async function storeListed(
  tx: TenantTx,
  row: Pick<ServerRow, "tenantId" | "id" | "slug">,
  tools: readonly ProbedTool[],
  terms: Pick<Terms, "isDraft" | "isCut">,
): Promise<ToolChanges> {
  const { rules } = await readLatestVersion(tx, row.tenantId);
  const isMapped = (tool: string) => Object.hasOwn(rules, ruleKey(row.slug, tool));
  return pinTools(tx, { tenantId: row.tenantId, serverId: row.id }, tools, { ...terms, isMapped });
}

/** Stores what a fresh probe saw of a server that is locked. One that did not answer keeps the tools it had. */
export async function storeProbe(
  tx: TenantTx,
  ctx: RequestContext,
  row: LockedServer,
  { probe, seenAt }: FreshProbe,
  isDraft = row.status === "draft",
): Promise<ToolChanges> {
  const { tenantId, id } = row;
  requireUnchanged(row, seenAt);
  const now = new Date();
  await tx.server.update({
    where: { tenantId_id: { tenantId, id } },
    data: { probe: storedProbe(probe), probedAt: now, updatedAt: now },
  });
  // Whoever asks by hand wants to know how it fares, too.
  await askSoon(tx, { tenantId, serverId: id });
  if (!probe.ok) return NO_CHANGES;
  const changes = await storeListed(tx, row, probe.tools, { isDraft, isCut: probe.isCut === true });
  await recordHeld(tx, draftOf(ctx, tenantId), row, changes.held);
  return changes;
}

/** Asks the server again and makes its tools what it offers now; what changed is in the trail with both digests. */
export const refreshServer = defineWrite({
  permission: "servers:write",
  input: serverRef,
  prepare: (ctx, { id }) => probeStored(ctx, id),
  run: async (tx, ctx, { id, reason }, fresh) => {
    const row = await requireLocked(tx, ctx.tenantId, id);
    const changes = await storeProbe(tx, ctx, row, fresh);
    return {
      result: await readServerDetail(tx, ctx.tenantId, id),
      audit: {
        action: "server.refreshed",
        target: row.slug,
        after: { ok: fresh.probe.ok, error: fresh.probe.error, ...changes },
        ...(reason === undefined ? {} : { reason }),
      },
      publish: [serverChanged(ctx.tenantId, id)],
    };
  },
});
