"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { CredentialCells, CredentialTimes, useCredentialEnd } from "@/components/credentials/credential-cells";
import { RevokeDialog } from "@/components/credentials/revoke-dialog";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Section } from "@/components/ui/section";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
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
      {revoking ? (
        <RevokeDialog
          what="token"
          name={revoking.name}
          effect={`Scripts that use ${revoking.prefix}… are refused from now on.`}
          revoke={() => revokeApiToken(tenant, revoking.id)}
          shownBy={memberKeys.apiTokens(tenant)}
          onClose={() => setRevoking(null)}
        />
      ) : null}
    </Section>
  );
}

const CHIPS = 4;

function TokenRow({ token, onRevoke }: { readonly token: ApiTokenView; readonly onRevoke: () => void }) {
  const end = useCredentialEnd(token);
  const rest = token.scopes.length - CHIPS;
  return (
    <Tr>
      <CredentialCells of={token} />
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
      <CredentialTimes of={token} />
      <Td className="text-right">
        {end === null ? (
          <Button size="sm" aria-label={`Revoke ${token.name}`} onClick={onRevoke}>
            Revoke
          </Button>
        ) : null}
      </Td>
    </Tr>
  );
}
