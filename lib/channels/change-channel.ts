import "server-only";
import type { z } from "zod";
import { requireSoundTarget, type TargetColumns } from "@/lib/channels/create-channel";
import { auditedChannel, readChannelView, requireChannel, requireFreeName } from "@/lib/channels/internal";
import { type ChannelWithSecret, changeChannelInput, channelRef, deleteChannelInput } from "@/lib/channels/schemas";
import { openTarget, type SealedTarget, sealTarget, shownAddress } from "@/lib/channels/sealed-target";
import { newSigningSecret } from "@/lib/channels/signature";
import type { RequestContext } from "@/lib/core/context";
import { AppError } from "@/lib/core/errors";
import { inTenant, type TenantTx } from "@/lib/db/in-tenant";
import { defineWrite } from "@/lib/db/verbs";
import type { AlertChannel } from "@/lib/generated/prisma/client";

/** How long signatures are made with the secret before, too, so that receivers can change over without a gap. */
const OLD_SECRET_MS = 24 * 3_600_000;

const readRow = (ctx: RequestContext, id: string): Promise<AlertChannel> =>
  inTenant(ctx.tenantId, (tx) => requireChannel(tx, ctx.tenantId, id));

/** A new address keeps the signing secret: who holds it did not change. */
async function prepareTarget(
  ctx: RequestContext,
  { id, target }: z.output<typeof changeChannelInput>,
): Promise<TargetColumns | undefined> {
  if (target === undefined) return undefined;
  const row = await readRow(ctx, id);
  if (row.kind !== target.kind) {
    throw new AppError("invalid_input", "A channel stays of its kind; create another one.", {
      issues: [{ path: "target.kind", rule: `must be ${row.kind}, as it was created` }],
    });
  }
  requireSoundTarget(target);
  if (target.kind === "email") return { shown: "", recipients: target.recipients };
  const sealed = await sealTarget(ctx.tenantId, id, { ...(await openTarget(ctx.tenantId, row)), url: target.url });
  return { ...sealed, shown: shownAddress(target.url), recipients: [] };
}

/** Locks the row and refuses a change that was drafted on another version of it. */
async function requireVersion(tx: TenantTx, tenantId: string, id: string, baseVersion: number): Promise<void> {
  await tx.$executeRaw`select from alert_channels where tenant_id = ${tenantId}::uuid and id = ${id}::uuid for update`;
  const { version } = await requireChannel(tx, tenantId, id);
  if (version === baseVersion) return;
  throw new AppError(
    "stale_version",
    `The channel is at version ${version} by now; this change was drafted on version ${baseVersion}.`,
    { currentVersion: version, baseVersion },
  );
}

const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** What still waits for a channel that is switched off is given up at the next turn instead of at its own time. */
async function hastenWaiting(tx: TenantTx, tenantId: string, channelId: string): Promise<void> {
  const where = { tenantId, channelId, state: "waiting" };
  await tx.alertNotice.updateMany({ where, data: { nextAt: new Date() } });
}

/** Changes where a channel leads, what it hears of, or switches it on and off. */
export const changeChannel = defineWrite({
  permission: "alerts:write",
  input: changeChannelInput,
  prepare: prepareTarget,
  run: async (tx, { tenantId }, { id, baseVersion, target: _target, ...fields }, columns) => {
    await requireVersion(tx, tenantId, id, baseVersion);
    if (fields.name !== undefined) await requireFreeName(tx, tenantId, fields.name, id);
    const before = await readChannelView(tx, tenantId, id);
    await tx.alertChannel.update({
      where: { tenantId_id: { tenantId, id } },
      data: { ...given(fields), ...(columns ?? {}), version: { increment: 1 }, updatedAt: new Date() },
    });
    if (fields.enabled === false) await hastenWaiting(tx, tenantId, id);
    const after = await readChannelView(tx, tenantId, id);
    const isReplaced = columns?.secret !== undefined;
    return {
      result: after,
      audit: {
        ...{ action: "alert_channel.changed" as const, target: after.name, before: auditedChannel(before) },
        after: { ...auditedChannel(after), ...(isReplaced ? { url: "replaced" } : {}) },
      },
    };
  },
});

/** Deletes a channel with its secrets; what it was told stays in the history of the alerts. */
export const deleteChannel = defineWrite({
  permission: "alerts:write",
  input: deleteChannelInput,
  status: 204,
  run: async (tx, { tenantId }, { id, reason }) => {
    const before = await readChannelView(tx, tenantId, id);
    const gone = { enabled: false, deletedAt: new Date(), secret: null, secretKeyId: null };
    await tx.alertChannel.update({ where: { tenantId_id: { tenantId, id } }, data: gone });
    await hastenWaiting(tx, tenantId, id);
    return {
      result: null,
      audit: {
        ...{ action: "alert_channel.deleted" as const, target: before.name, before: auditedChannel(before) },
        ...(reason === undefined ? {} : { reason }),
      },
    };
  },
});

type Rotated = { readonly secret: string; readonly sealed: SealedTarget; readonly version: number };

async function prepareSecret(ctx: RequestContext, { id }: z.output<typeof channelRef>): Promise<Rotated> {
  const row = await readRow(ctx, id);
  if (row.kind !== "webhook") throw new AppError("conflict", "Only webhooks have a signing secret.");
  const { url, signing } = await openTarget(ctx.tenantId, row);
  const secret = newSigningSecret();
  const previous = signing === undefined ? {} : { previous: { signing, until: Date.now() + OLD_SECRET_MS } };
  return {
    secret,
    sealed: await sealTarget(ctx.tenantId, id, { url, signing: secret, ...previous }),
    version: row.version,
  };
}

/** Makes a new signing secret, which is shown once. For a day notices are signed with the one before as well. */
export const rotateChannelSecret = defineWrite({
  permission: "alerts:write",
  input: channelRef,
  prepare: prepareSecret,
  run: async (tx, { tenantId }, { id }, { secret, sealed, version }) => {
    await requireVersion(tx, tenantId, id, version);
    const data = { ...sealed, version: { increment: 1 }, updatedAt: new Date() };
    await tx.alertChannel.update({ where: { tenantId_id: { tenantId, id } }, data });
    const channel = await readChannelView(tx, tenantId, id);
    return {
      result: { ...channel, secret } satisfies ChannelWithSecret,
      audit: { action: "alert_channel_secret.rotated", target: channel.name },
    };
  },
});
