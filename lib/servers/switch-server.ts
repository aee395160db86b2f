import "server-only";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { inTenant, type TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import { readServerDetail } from "@/lib/servers/detail";
import {
  type FreshProbe,
  probeStored,
  requireLocked,
  requireServer,
  type ServerRow,
  type StoredProbe,
  serverChanged,
} from "@/lib/servers/internal";
import { storeProbe } from "@/lib/servers/refresh-server";
import { type ServerDetail, type ServerProbe, serverRef } from "@/lib/servers/schemas";

const answered = (row: ServerRow): boolean => (row.probe as StoredProbe | null)?.ok === true;

/** Null when the last probe was good already; a server that never answered is asked once more. */
async function prepareEnable(ctx: RequestContext, { id }: { readonly id: string }): Promise<FreshProbe | null> {
  const row = await inTenant(ctx.tenantId, (tx) => requireServer(tx, ctx.tenantId, id));
  if (answered(row)) return null;
  const fresh = await probeStored(ctx, id);
  if (!fresh.probe.ok) throw neverAnswered(row, fresh.probe.error);
  return fresh;
}

function neverAnswered(row: ServerRow, error: ServerProbe["error"]): AppError {
  const why = error === null ? "" : ` It says: ${error.message}`;
  return new AppError("conflict", `Server ${row.slug} did not answer, so it cannot be enabled.${why}`, {
    probe: error?.code ?? "unknown",
  });
}

async function setStatus(
  tx: TenantTx,
  tenantId: string,
  id: string,
  status: ServerDetail["status"],
): Promise<ServerDetail> {
  await tx.server.update({ where: { tenantId_id: { tenantId, id } }, data: { status, updatedAt: new Date() } });
  return readServerDetail(tx, tenantId, id);
}

const withReason = (reason: string | undefined) => (reason === undefined ? {} : { reason });

/** Opens a server to agents. It must have answered a probe. */
export const enableServer = defineWrite({
  permission: "servers:write",
  input: serverRef,
  prepare: prepareEnable,
  run: async (tx, ctx, { id, reason }, fresh) => {
    const row = await requireLocked(tx, ctx.tenantId, id);
    if (fresh === null && !answered(row)) throw neverAnswered(row, null);
    // Whoever opens it sees what it offered before: what it says only now, nobody looked at.
    if (fresh !== null) await storeProbe(tx, ctx, row, fresh, false);
    const server = await setStatus(tx, ctx.tenantId, id, "enabled");
    return {
      result: server,
      audit: {
        ...{ action: "server.enabled" as const, target: row.slug, ...withReason(reason) },
        ...{ before: { status: row.status }, after: { status: server.status } },
      },
      publish: [serverChanged(ctx.tenantId, id)],
    };
  },
});

/** Closes a server to agents at once; nothing of it is lost. */
export const disableServer = defineWrite({
  permission: "servers:write",
  input: serverRef,
  run: async (tx, ctx, { id, reason }) => {
    const row = await requireServer(tx, ctx.tenantId, id);
    const server = await setStatus(tx, ctx.tenantId, id, "disabled");
    return {
      result: server,
      audit: {
        ...{ action: "server.disabled" as const, target: row.slug, ...withReason(reason) },
        ...{ before: { status: row.status }, after: { status: server.status } },
      },
      publish: [serverChanged(ctx.tenantId, id)],
    };
  },
});
