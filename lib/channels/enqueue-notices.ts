import "server-only";
import type { Notice } from "@/lib/channels/schemas";
import type { TenantTx } from "@/lib/db/in-tenant";

/**
 * Writes one waiting notice for each enabled channel that wants to hear of it, in the transaction that changes the alert:
 * so none is lost and none written twice. The caller holds the alert's row, which puts notices of one alert in order.
 */
export async function enqueueNotices(tx: TenantTx, notice: Notice): Promise<void> {
  const { alertId, event, severity, title, text, server, tool, value, threshold, at } = notice;
  await tx.$executeRaw`
    insert into alert_notices
      (tenant_id, id, channel_id, alert_id, event, severity, title, text, server, tool, value, threshold, at)
    select tenant_id, gen_random_uuid(), id, ${alertId}::uuid, ${event}, ${severity}, ${title}, ${text}, ${server},
        ${tool}, ${value}::float8, ${threshold}::float8, ${at}::timestamptz
      from alert_channels
     where tenant_id = app_tenant_id() and enabled and deleted_at is null and ${event} = any(events)
       and (min_severity = 'warning' or ${severity} = 'critical')`;
}
