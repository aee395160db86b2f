"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { FormError } from "@/components/ui/form-error";
import { Section } from "@/components/ui/section";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Status } from "@/components/ui/status";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { Time, useNow } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";
import { apiTokensQuery, memberKeys, revokeApiToken } from "@/lib/client/members";
import type { ApiTokenView } from "@/lib/members/schemas";
import { MintTokenDialog } from "./mint-token-dialog";

/** One's own tokens for /api/v1, by prefix. */
export function ApiTokens({ tenant }: { readonly tenant: string }) {
  const tokens = useQuery(apiTokensQuery(tenant));
  const [minting, setMinting] = useState(false);
  const [revoking, setRevoking] = useState<ApiTokenView | null>(null);
  const mint = (
    <Button variant="primary" onClick={() => setMinting(true)}>
      Mint token
    </Button>
  );
  return (
    <Section
      title="Your API tokens"
      note="For scripts that call /api/v1 as you. A token never holds more than you do, and acts under your name in the trail."
      actions={mint}
    >
      {tokens.error ? (
        <ErrorState error={tokens.error} onRetry={tokens.refetch} />
      ) : !tokens.data ? (
        <SkeletonRows label="Loading tokens" />
      ) : tokens.data.length === 0 ? (
        <EmptyState title="No tokens yet" why="Mint one for a script; its secret is shown once." />
      ) : (
        <Table aria-label="API tokens">
          <Thead>
            <tr>
              <Th>Token</Th>
              <Th>State</Th>
              <Th>Scopes</Th>
              <Th>Expires</Th>
              <Th>Last used</Th>
              <Th>
                <span className="sr-only">Actions</span>
              </Th>
            </tr>
          </Thead>
          <Tbody>
            {tokens.data.map((token) => (
              <TokenRow key={token.id} token={token} onRevoke={() => setRevoking(token)} />
            ))}
          </Tbody>
        </Table>
      )}
      {minting ? <MintTokenDialog tenant={tenant} onClose={() => setMinting(false)} /> : null}
      {revoking ? <RevokeToken tenant={tenant} token={revoking} onClose={() => setRevoking(null)} /> : null}
    </Section>
  );
}

const CHIPS = 4;

function TokenRow({ token, onRevoke }: { readonly token: ApiTokenView; readonly onRevoke: () => void }) {
  const now = useNow();
  const expired = token.expiresAt !== null && now !== null && Date.parse(token.expiresAt) < now;
  const state = token.revokedAt ? "revoked" : expired ? "expired" : null;
  const rest = token.scopes.length - CHIPS;
  return (
    <Tr>
      <Td primary>
        {token.name} <code className="font-mono text-xs text-muted">{token.prefix}…</code>
      </Td>
      <Td>{state ? <Status state="disabled">{state}</Status> : <Status state="active" />}</Td>
      <Td className="whitespace-normal" title={token.scopes.join(", ")}>
        <span className="flex flex-wrap gap-1 py-1">
          {token.scopes.slice(0, CHIPS).map((scope) => (
            <Badge key={scope} className="font-mono">
              {scope}
            </Badge>
          ))}
          {rest > 0 ? <span className="text-xs text-muted">and {rest} more</span> : null}
        </span>
      </Td>
      <Td label="expires">{token.expiresAt ? <Time iso={token.expiresAt} /> : "never"}</Td>
      <Td label="last used">{token.lastUsedAt ? <Time iso={token.lastUsedAt} /> : "never"}</Td>
      <Td className="text-right">
        {state === null ? (
          <Button size="sm" aria-label={`Revoke ${token.name}`} onClick={onRevoke}>
            Revoke
          </Button>
        ) : null}
      </Td>
    </Tr>
  );
}

function RevokeToken({
  tenant,
  token,
  onClose,
}: {
  readonly tenant: string;
  readonly token: ApiTokenView;
  readonly onClose: () => void;
}) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeApiToken(tenant, token.id),
    onSuccess: async () => {
      toast.success(`Token ${token.name} is revoked.`);
      await client.invalidateQueries({ queryKey: memberKeys.apiTokens(tenant) });
      onClose();
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Revoke ${token.name}`}
      description={`Scripts that use ${token.prefix}… are refused from now on. This cannot be undone.`}
      action="Revoke token"
      danger
      pending={revoke.isPending}
      onConfirm={() => revoke.mutate()}
    >
      <FormError>{revoke.error ? problemText(revoke.error) : null}</FormError>
    </ConfirmDialog>
  );
}
