import "server-only";
import { requireChannel, toTold } from "@/lib/channels/internal";
import type { Told } from "@/lib/channels/messages";
import { type ChannelKind, channelRef, type TestResult } from "@/lib/channels/schemas";
import { sendNotice, type TimedSent } from "@/lib/channels/send-notice";
import { actorName, type RequestContext } from "@/lib/core/context";
import { newId } from "@/lib/core/ids";
import { inTenant } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";

type Tested = TimedSent & { readonly told: Told };

async function prepare(ctx: RequestContext, { id }: { readonly id: string }): Promise<Tested> {
  const { tenantId } = ctx;
  const [row, tenant] = await inTenant(tenantId, async (tx) => [
    await requireChannel(tx, tenantId, id),
    await tx.tenant.findUniqueOrThrow({ where: { id: tenantId }, select: { slug: true } }),
  ]);
  const told = toTold({
    ...{ id: newId(), alertId: null, event: "test", severity: "warning", title: `channel ${row.name}` },
    text: `${actorName(ctx.actor)} tests this channel. No alert is behind this notice.`,
    ...{ server: null, tool: null, value: null, threshold: null, at: new Date(), tenant: tenant.slug },
  });
  return { told, ...(await sendNotice({ ...row, kind: row.kind as ChannelKind }, told)) };
}

/** Sends a marked notice at once, also over a channel that is switched off, and says what happened. It is not repeated. */
export const testChannel = defineWrite({
  permission: "alerts:write",
  input: channelRef,
  prepare,
  run: async (tx, { tenantId }, { id: channelId }, { told, sent, durationMs }) => {
    const { name } = await requireChannel(tx, tenantId, channelId);
    const { delivered, status, error } = sent;
    const { id, event, severity, title, text, at } = told;
    const ended = { state: delivered ? "delivered" : "failed", endedAt: new Date(), error, attempts: 1 };
    await tx.alertNotice.create({ data: { tenantId, id, channelId, event, severity, title, text, at, ...ended } });
    await tx.alertNoticeAttempt.create({
      data: { tenantId, noticeId: id, number: 1, at, delivered, durationMs, status, error },
    });
    const result: TestResult = { noticeId: id, delivered, status, durationMs: Math.round(durationMs), error };
    return { result, audit: { action: "alert_channel.tested", target: name, after: result } };
  },
});
