import "server-only";
import { AppError, isAppError } from "@/lib/core/errors";
import { openSealed, seal } from "@/lib/db/tenant-keys";

/** Ties the sealed bytes to one server: copied to another row they do not open. */
const boundTo = (serverId: string): string => `server:${serverId}`;

export type SealedCredential = { readonly credential: Uint8Array<ArrayBuffer>; readonly credentialKeyId: string };

/** Seals header or variable names with their values; null when there is nothing to keep. */
export async function sealCredential(
  tenantId: string,
  serverId: string,
  plain: Readonly<Record<string, string>> | undefined,
): Promise<SealedCredential | null> {
  if (plain === undefined || Object.keys(plain).length === 0) return null;
  const bytes = new TextEncoder().encode(JSON.stringify(plain));
  const { keyId, sealed } = await seal(tenantId, "credential", boundTo(serverId), bytes);
  return { credential: new Uint8Array(sealed), credentialKeyId: keyId };
}

/** True for what `openCredential` throws where the credential is at fault. */
export const isUnopenable = (cause: unknown): boolean => isAppError(cause) && cause.code === "conflict";

/** Opens what `sealCredential` made. Throws `conflict` where no key we have opens it: then it has to be entered anew. */
export async function openCredential(
  tenantId: string,
  serverId: string,
  keyId: string | null,
  sealed: Uint8Array | null,
): Promise<Readonly<Record<string, string>> | undefined> {
  if (sealed === null || keyId === null) return undefined;
  const bytes = await openSealed(tenantId, keyId, boundTo(serverId), Buffer.from(sealed)).catch((cause: unknown) => {
    // The database being away says nothing of the credential.
    if (isAppError(cause)) throw cause;
    throw new AppError("conflict", "The credential of this server cannot be opened. Enter it anew.", {}, cause);
  });
  return JSON.parse(bytes.toString("utf8")) as Record<string, string>;
}
