import "server-only";
import type { BusMessage } from "@/lib/core/bus";
import { AppError } from "@/lib/core/errors";
import type { TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import { readServerHandling } from "@/lib/limits/read";
import { changeRetryPolicyInput, changeToolCacheInput, type ServerHandlingView } from "@/lib/limits/schemas";

const changed = (tenantId: string, serverId: string): readonly BusMessage[] => [
  { topic: "server.changed", tenantId, serverId },
];

async function slugOf(tx: TenantTx, tenantId: string, id: string): Promise<string> {
  const row = await tx.server.findUnique({ where: { tenantId_id: { tenantId, id } }, select: { slug: true } });
  if (row === null) throw new AppError("not_found", "There is no such server.");
  return row.slug;
}

const audited = ({ retryPolicy, cached }: ServerHandlingView) => ({ retryPolicy, cached });

/** Which of a server's tools may be called a second time after a fault. */
export const changeRetryPolicy = defineWrite({
  permission: "servers:write",
  input: changeRetryPolicyInput,
  run: async (tx, { tenantId }, { id, retryPolicy, reason }) => {
    const target = await slugOf(tx, tenantId, id);
    const before = await readServerHandling(tx, tenantId, id);
    await tx.server.update({ where: { tenantId_id: { tenantId, id } }, data: { retryPolicy } });
    const after = await readServerHandling(tx, tenantId, id);
    return {
      result: after,
      audit: {
        ...{ action: "retry_policy.changed" as const, target, reason },
        ...{ before: audited(before), after: audited(after) },
      },
      publish: changed(tenantId, id),
    };
  },
});

/** Gives answers of a read-only tool again for a while, or stops doing so. */
export const changeToolCache = defineWrite({
  permission: "servers:write",
  input: changeToolCacheInput,
  run: async (tx, { tenantId }, { id, tool, ttlMs, reason }) => {
    const slug = await slugOf(tx, tenantId, id);
    if (ttlMs > 0) await requireReadOnly(tx, { tenantId, serverId: id, name: tool });
    const before = await readServerHandling(tx, tenantId, id);
    const place = { tenantId, serverId: id, tool };
    await tx.toolSetting.upsert({
      where: { tenantId_serverId_tool: place },
      create: { ...place, cacheTtlMs: ttlMs },
      update: { cacheTtlMs: ttlMs },
    });
    const after = await readServerHandling(tx, tenantId, id);
    return {
      result: after,
      audit: {
        ...{ action: "tool_cache.changed" as const, target: `${slug}/${tool}`, reason },
        ...{ before: audited(before), after: audited(after) },
      },
      publish: changed(tenantId, id),
    };
  },
});

type ToolPlace = { readonly tenantId: string; readonly serverId: string; readonly name: string };

async function requireReadOnly(tx: TenantTx, place: ToolPlace): Promise<void> {
  const row = await tx.serverTool.findUnique({
    where: { tenantId_serverId_name: place },
    select: { annotations: true },
  });
  if (row === null) throw new AppError("not_found", "The server has no such tool.");
  const { readOnlyHint } = (row.annotations ?? {}) as { readonly readOnlyHint?: boolean };
  if (readOnlyHint === true) return;
  const text = "Only answers of a tool that says it is read-only can be given again.";
  throw new AppError("invalid_input", text, { issues: [{ path: "tool", rule: "must say that it is read-only" }] });
}
