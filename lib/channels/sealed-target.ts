import "server-only";
import { openSealed, seal } from "@/lib/db/tenant-keys";

/** What of a channel nobody is shown again. Signing secrets: the one in force first, then one that still holds for a while. */
export type SecretTarget = {
  readonly url: string;
  readonly signing?: string;
  readonly previous?: { readonly signing: string; readonly until: number };
};

export type SealedTarget = { readonly secret: Uint8Array<ArrayBuffer>; readonly secretKeyId: string };

/** Ties the sealed bytes to one channel: copied to another row they do not open. */
const boundTo = (channelId: string): string => `alert_channel:${channelId}`;

/** Seals an address with its secrets; a mail channel has neither. */
export async function sealTarget(tenantId: string, channelId: string, target: SecretTarget): Promise<SealedTarget> {
  const bytes = new TextEncoder().encode(JSON.stringify(target));
  const { keyId, sealed } = await seal(tenantId, "credential", boundTo(channelId), bytes);
  return { secret: new Uint8Array(sealed), secretKeyId: keyId };
}

export type HoldsSecret = {
  readonly id: string;
  readonly secret: Uint8Array | null;
  readonly secretKeyId: string | null;
};

/** Opens what `sealTarget` made. */
export async function openTarget(tenantId: string, { id, secret, secretKeyId }: HoldsSecret): Promise<SecretTarget> {
  if (secret === null || secretKeyId === null) throw new Error("The channel has no sealed address.");
  const bytes = await openSealed(tenantId, secretKeyId, boundTo(id), Buffer.from(secret));
  return JSON.parse(bytes.toString("utf8")) as SecretTarget;
}

/** What may be seen of an address: paths and queries of such addresses are passwords. */
export const shownAddress = (url: string): string => `${new URL(url).origin}/…`;
