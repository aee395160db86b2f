import "server-only";
import { slackBody, type Told, webhookBody } from "@/lib/channels/messages";
import { postJson } from "@/lib/channels/post-json";
import type { ChannelKind } from "@/lib/channels/schemas";
import { type HoldsSecret, openTarget, type SecretTarget } from "@/lib/channels/sealed-target";
import { sendMail } from "@/lib/channels/send-mail";
import type { Sent } from "@/lib/channels/sent";
import { signedHeaders } from "@/lib/channels/signature";
import { logger } from "@/lib/core/logger";

/** A channel as sending needs it. */
export type SendingChannel = HoldsSecret & {
  readonly tenantId: string;
  readonly kind: ChannelKind;
  readonly recipients: readonly string[];
};

export type TimedSent = { readonly sent: Sent; readonly durationMs: number };

const DEADLINE_MS = 10_000;

/** Tries once to tell a channel, and never throws: what went wrong is part of how it went. */
export async function sendNotice(channel: SendingChannel, told: Told, deadlineMs = DEADLINE_MS): Promise<TimedSent> {
  const startedAt = performance.now();
  const sent = await sendOver(channel, told, deadlineMs).catch((cause: unknown): Sent => {
    logger.warn({ err: cause, tenantId: channel.tenantId, channelId: channel.id }, "a notice could not be sent");
    const error = "Something went wrong on our side before anything was sent.";
    return { delivered: false, status: null, error, final: false, retryAfterMs: null };
  });
  return { sent, durationMs: performance.now() - startedAt };
}

async function sendOver(channel: SendingChannel, told: Told, deadlineMs: number): Promise<Sent> {
  if (channel.kind === "email") return sendMail({ told, recipients: channel.recipients, deadlineMs });
  const target = await openTarget(channel.tenantId, channel);
  if (channel.kind === "slack") return postJson({ url: target.url, body: slackBody(told), headers: {}, deadlineMs });
  const body = webhookBody(told);
  const headers = signedHeaders(signingSecrets(target, Date.now()), told.id, new Date(), body);
  return postJson({ url: target.url, body, headers, deadlineMs });
}

function signingSecrets({ signing, previous }: SecretTarget, now: number): readonly string[] {
  if (signing === undefined) throw new Error("The webhook has no signing secret.");
  return previous !== undefined && previous.until > now ? [signing, previous.signing] : [signing];
}
