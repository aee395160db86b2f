import "server-only";
import type { z } from "zod";
import { hasPermission, requirePermission } from "@/lib/audit/perform";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { PLATFORM_TENANT_ID } from "@/lib/core/ids";
import { definePlatformWrite } from "@/lib/db/verbs";
import { alsoInChainOf, countsOf } from "@/lib/tenants/internal";
import { changeTenantInput } from "@/lib/tenants/schemas";
import { toTenantView } from "@/lib/tenants/views";

type Change = z.output<typeof changeTenantInput>;

/** Renames a tenant, changes its zones and residency, suspends or reinstates it. Suspended: nobody and no agent gets in. */
export const changeTenant = definePlatformWrite({
  // Two kinds of people may, for different fields; decided in requireMayChange.
  permission: "self",
  input: changeTenantInput,
  run: async (tx, ctx, input) => {
    await requireMayChange(ctx, input);
    const { id, name, zones, residency, status, reason } = input;
    const before = id === PLATFORM_TENANT_ID ? null : await tx.tenant.findUnique({ where: { id } });
    if (before === null) throw new AppError("not_found", "There is no such tenant.");
    const row = await tx.tenant.update({
      where: { id },
      data: {
        ...(name === undefined ? {} : { name }),
        ...(zones === undefined ? {} : { zones: [...new Set(zones)].sort() }),
        ...(residency === undefined ? {} : { residency }),
        ...(status === undefined ? {} : { status }),
      },
    });
    const counts = (await countsOf(tx, [id]))(id);
    const action = actionOf(before.status, status);
    await alsoInChainOf(tx, id, ctx, { phase: "admin", eventType: action, target: before.slug, reason });
    const view = toTenantView(row, counts);
    return {
      result: view,
      audit: { action, target: before.slug, before: toTenantView(before, counts), after: view, reason },
      publish: [{ topic: "tenant.changed", tenantId: id }],
    };
  },
});

/**
 * The platform may change everything; a tenant's own admin what it is called. By which rules it is judged (its zones, its
 * residency, whether it is open) is nothing that who is judged decides: zones set how strict its circuits are.
 */
async function requireMayChange(ctx: RequestContext, { id, status, zones, residency }: Change): Promise<void> {
  if (hasPermission(ctx, "platform:write")) return;
  const judged = status !== undefined || zones !== undefined || residency !== undefined;
  const own = ctx.tenantId === id && !judged;
  await requirePermission(ctx, own ? "tenant:write" : "platform:write", `change tenant ${id}`);
}

function actionOf(
  before: string,
  status: Change["status"],
): "tenant.suspended" | "tenant.reinstated" | "tenant.changed" {
  if (status === undefined || status === before) return "tenant.changed";
  return status === "suspended" ? "tenant.suspended" : "tenant.reinstated";
}
