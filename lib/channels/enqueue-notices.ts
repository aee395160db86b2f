import "server-only";
import type { Notice } from "@/lib/channels/schemas";
import type { RawTx } from "@/lib/db/sql";

const ENQUEUE = `
  insert into alert_notices
    (tenant_id, id, channel_id, alert_id, event, severity, title, text, server, tool, value, threshold, at)
  select tenant_id, gen_random_uuid(), id, $1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text,
      $8::float8, $9::float8, $10::timestamptz
    from alert_channels
   where tenant_id = app_tenant_id() and enabled and deleted_at is null and $2::text = any(events)
     and (min_severity = 'warning' or $3::text = 'critical')`;

/**
 * Writes one waiting notice for each enabled channel that wants to hear of it, in the transaction that changes the alert:
 * so none is lost and none written twice. The caller holds the alert's row, which puts notices of one alert in order.
 */
export async function enqueueNotices(tx: RawTx, notice: Notice): Promise<void> {
  const { alertId, event, severity, title, text, server, tool, value, threshold, at } = notice;
  await tx.$queryRawUnsafe(ENQUEUE, alertId, event, severity, title, text, server, tool, value, threshold, at);
}
