import "server-only";
import type { Told } from "@/lib/channels/messages";
import type { ChannelView } from "@/lib/channels/schemas";
import { type ChannelCounts, toChannelView } from "@/lib/channels/views";
import { AppError } from "@/lib/core/errors";
import type { TenantTx } from "@/lib/db/in-tenant";
import { baseUrl } from "@/lib/env";
import type { AlertChannel } from "@/lib/generated/prisma/client";

/** The channel of this tenant; one that was deleted is as unknown as another tenant's. */
export async function requireChannel(tx: TenantTx, tenantId: string, id: string): Promise<AlertChannel> {
  const row = await tx.alertChannel.findUnique({ where: { tenantId_id: { tenantId, id }, deletedAt: null } });
  if (row === null) throw new AppError("not_found", "There is no such channel.");
  return row;
}

/** Two channels of one name could not be told apart in a message or in the trail. */
export async function requireFreeName(tx: TenantTx, tenantId: string, name: string, own: string | null): Promise<void> {
  // The lock makes the second of two at once wait and then see the first.
  await tx.$executeRaw`select pg_advisory_xact_lock(hashtextextended(${`alert_channel_name:${tenantId}:${name}`}, 0))`;
  const taken = await tx.alertChannel.findFirst({ where: { tenantId, name, deletedAt: null }, select: { id: true } });
  if (taken === null || taken.id === own) return;
  throw new AppError("conflict", `There is a channel called ${name} already.`, {
    issues: [{ path: "name", rule: "is taken by another channel" }],
  });
}

const NEVER_USED: ChannelCounts = { waiting: 0, failed: 0, last: null };

/** What waits and what was given up, by channel, and how the newest notice fared. */
export async function readCounts(tx: TenantTx, tenantId: string): Promise<ReadonlyMap<string, ChannelCounts>> {
  const rows = await tx.$queryRaw<(ChannelCounts["last"] & { id: string; waiting: number; failed: number })[]>`
    select c.id, l.state, coalesce(l.ended_at, l.created_at) as at, l.error,
        (select count(*)::int from alert_notices w
          where w.tenant_id = c.tenant_id and w.channel_id = c.id and w.state = 'waiting') as waiting,
        (select count(*)::int from alert_notices f where f.tenant_id = c.tenant_id and f.channel_id = c.id
            and f.state = 'failed' and f.event <> 'test' and f.ended_at > now() - interval '24 hours') as failed
      from alert_channels c
      join lateral (select * from alert_notices n where n.tenant_id = c.tenant_id and n.channel_id = c.id
        order by n.seq desc limit 1) l on true
     where c.tenant_id = ${tenantId}::uuid and c.deleted_at is null`;
  return new Map(rows.map(({ id, waiting, failed, ...last }) => [id, { waiting, failed, last }]));
}

export async function readChannelView(tx: TenantTx, tenantId: string, id: string): Promise<ChannelView> {
  const row = await requireChannel(tx, tenantId, id);
  return toChannelView(row, (await readCounts(tx, tenantId)).get(id) ?? NEVER_USED);
}

export async function readChannelViews(tx: TenantTx, tenantId: string): Promise<readonly ChannelView[]> {
  const rows = await tx.alertChannel.findMany({ where: { tenantId, deletedAt: null }, orderBy: { name: "asc" } });
  const counts = await readCounts(tx, tenantId);
  return rows.map((row) => toChannelView(row, counts.get(row.id) ?? NEVER_USED));
}

/** What of a channel stands in the trail. */
export const auditedChannel = ({ name, kind, enabled, address, recipients, minSeverity, events }: ChannelView) => ({
  ...{ name, kind, enabled, address, recipients, minSeverity, events },
});

/** A notice as it is told: with where it is seen. */
export function toTold(notice: Omit<Told, "url">): Told {
  const { id, alertId, event, severity, title, text, server, tool, value, threshold, at, tenant } = notice;
  const url = `${baseUrl()}/${tenant}/alerts${alertId === null ? "?tab=channels" : `?alert=${alertId}`}`;
  return { id, alertId, event, severity, title, text, server, tool, value, threshold, at, tenant, url };
}
