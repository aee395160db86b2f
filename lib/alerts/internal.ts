import "server-only";
import { AppError } from "@/lib/core/errors";
import type { TenantTx } from "@/lib/db/in-tenant";
import type { Alert, AlertRule } from "@/lib/generated/prisma/client";

export async function requireAlert(tx: TenantTx, tenantId: string, id: string): Promise<Alert> {
  const row = await tx.alert.findUnique({ where: { tenantId_id: { tenantId, id } } });
  if (row === null) throw new AppError("not_found", "There is no such alert.");
  return row;
}

export async function requireRule(tx: TenantTx, tenantId: string, id: string): Promise<AlertRule> {
  const row = await tx.alertRule.findUnique({ where: { tenantId_id: { tenantId, id } } });
  if (row === null) throw new AppError("not_found", "There is no such alert rule.");
  return row;
}
