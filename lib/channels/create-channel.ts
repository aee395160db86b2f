import "server-only";
import type { z } from "zod";
import { auditedChannel, readChannelView, requireFreeName } from "@/lib/channels/internal";
import { requireSoundUrl } from "@/lib/channels/post-json";
import { type ChannelTarget, type ChannelWithSecret, createChannelInput } from "@/lib/channels/schemas";
import { type SealedTarget, sealTarget, shownAddress } from "@/lib/channels/sealed-target";
import { missingForEmail } from "@/lib/channels/send-mail";
import { newSigningSecret } from "@/lib/channels/signature";
import type { RequestContext } from "@/lib/core/context";
import { AppError, isAppError } from "@/lib/core/errors";
import { newId } from "@/lib/core/ids";
import { defineWrite } from "@/lib/db/verbs";

const MAX_CHANNELS = 20;

/** The columns that hold where a channel leads. */
export type TargetColumns = Partial<SealedTarget> & { readonly shown: string; readonly recipients: string[] };
type Prepared = { readonly id: string; readonly secret: string | null; readonly columns: TargetColumns };

/** The guard speaks of whatever it was asked about; here that is a field of a form. */
function requireReachable(url: string): void {
  try {
    requireSoundUrl(url);
  } catch (cause) {
    if (!isAppError(cause)) throw cause;
    const rule = cause.detail.issues?.[0]?.rule ?? cause.message;
    throw new AppError(cause.code, cause.message, { issues: [{ path: "target.url", rule }] });
  }
}

/** Refuses a target that could never be told anything, before it is stored. */
export function requireSoundTarget(target: ChannelTarget): void {
  if (target.kind === "email") requireMail();
  else requireReachable(target.url);
}

function requireMail(): void {
  const missing = missingForEmail();
  if (missing.length === 0) return;
  throw new AppError("invalid_input", `E-mail is not set up here: ${missing.join(" and ")} must be set.`, {
    issues: [{ path: "target.recipients", rule: `needs ${missing.join(" and ")} to be set for this installation` }],
  });
}

async function prepare(
  { tenantId }: RequestContext,
  { target }: z.output<typeof createChannelInput>,
): Promise<Prepared> {
  requireSoundTarget(target);
  const id = newId();
  if (target.kind === "email") {
    return { id, secret: null, columns: { shown: "", recipients: target.recipients } };
  }
  const secret = target.kind === "webhook" ? newSigningSecret() : null;
  const sealed = await sealTarget(tenantId, id, { url: target.url, ...(secret === null ? {} : { signing: secret }) });
  return { id, secret, columns: { ...sealed, shown: shownAddress(target.url), recipients: [] } };
}

/** Opens a channel. The signing secret of a webhook is in this answer and nowhere else. */
export const createChannel = defineWrite({
  permission: "alerts:write",
  input: createChannelInput,
  status: 201,
  prepare,
  run: async (tx, { tenantId }, { name, target, minSeverity, events }, { id, secret, columns }) => {
    await requireFreeName(tx, tenantId, name, null);
    const count = await tx.alertChannel.count({ where: { tenantId, deletedAt: null } });
    if (count >= MAX_CHANNELS) throw new AppError("conflict", `There are ${count} channels; delete one first.`);
    const row = { tenantId, id, name, kind: target.kind, minSeverity, events: [...new Set(events)] };
    await tx.alertChannel.create({ data: { ...row, ...columns } });
    const channel = await readChannelView(tx, tenantId, id);
    return {
      result: { ...channel, secret } satisfies ChannelWithSecret,
      audit: { action: "alert_channel.created", target: name, after: auditedChannel(channel) },
    };
  },
});
