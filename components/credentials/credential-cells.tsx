"use client";
import { Status } from "@/components/ui/status";
import { Td } from "@/components/ui/table";
import { Time, useNow } from "@/components/ui/time";

type Credential = {
  readonly name: string;
  readonly prefix: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
};

/** Why a credential opens nothing any more; null while it does. */
export function useCredentialEnd({ expiresAt, revokedAt }: Credential): "revoked" | "expired" | null {
  const now = useNow();
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && now !== null && Date.parse(expiresAt) < now ? "expired" : null;
}

/** By its name and how it begins; the rest was shown once. */
export function CredentialCells({ of }: { readonly of: Credential }) {
  const end = useCredentialEnd(of);
  return (
    <>
      <Td primary>
        {of.name} <code className="font-mono text-xs text-muted">{of.prefix}…</code>
      </Td>
      <Td>{end ? <Status state="disabled">{end}</Status> : <Status state="active" />}</Td>
    </>
  );
}

/** Until when a credential is good, and when it last was of use. */
export function CredentialTimes({ of }: { readonly of: Credential }) {
  return (
    <>
      <Td label="expires">{of.expiresAt ? <Time iso={of.expiresAt} /> : "never"}</Td>
      <Td label="last used">{of.lastUsedAt ? <Time iso={of.lastUsedAt} /> : "never"}</Td>
    </>
  );
}
