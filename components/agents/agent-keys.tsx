"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { EmptyState } from "@/components/ui/empty-state";
import { FormError } from "@/components/ui/form-error";
import { Section } from "@/components/ui/section";
import { Status } from "@/components/ui/status";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { Time, useNow } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import type { AgentDetail, AgentKeyView } from "@/lib/agents/schemas";
import { agentKeys, revokeAgentKey } from "@/lib/client/agents";
import { problemText } from "@/lib/client/form-issues";
import { MintKeyDialog } from "./mint-key-dialog";

/** Keys by prefix; the secret was shown once. */
export function AgentKeys({ tenant, agent }: { readonly tenant: string; readonly agent: AgentDetail }) {
  const mayWrite = useMay("agents:write");
  const [minting, setMinting] = useState(false);
  const [revoking, setRevoking] = useState<AgentKeyView | null>(null);
  const mint = mayWrite ? <Button onClick={() => setMinting(true)}>Mint key</Button> : null;
  return (
    <Section title="Keys" actions={mint}>
      {agent.keys.length === 0 ? (
        <EmptyState
          title="No keys yet"
          why="The agent proves itself with a key. Its secret is shown once, when it is minted."
        />
      ) : (
        <Table aria-label="Keys">
          <Thead>
            <tr>
              <Th>Key</Th>
              <Th>State</Th>
              <Th>Minted</Th>
              <Th>Expires</Th>
              <Th>Last used</Th>
              <Th>
                <span className="sr-only">Actions</span>
              </Th>
            </tr>
          </Thead>
          <Tbody>
            {agent.keys.map((key) => (
              <KeyRow key={key.id} agentKey={key} onRevoke={mayWrite ? () => setRevoking(key) : null} />
            ))}
          </Tbody>
        </Table>
      )}
      {minting ? <MintKeyDialog tenant={tenant} agent={agent} onClose={() => setMinting(false)} /> : null}
      {revoking ? (
        <RevokeKey tenant={tenant} agent={agent} agentKey={revoking} onClose={() => setRevoking(null)} />
      ) : null}
    </Section>
  );
}

function KeyRow({ agentKey, onRevoke }: { readonly agentKey: AgentKeyView; readonly onRevoke: (() => void) | null }) {
  const now = useNow();
  const expired = agentKey.expiresAt !== null && now !== null && Date.parse(agentKey.expiresAt) < now;
  const state = agentKey.revokedAt ? "revoked" : expired ? "expired" : null;
  return (
    <Tr>
      <Td primary>
        {agentKey.name} <code className="font-mono text-xs text-muted">{agentKey.prefix}…</code>
      </Td>
      <Td>{state ? <Status state="disabled">{state}</Status> : <Status state="active" />}</Td>
      <Td label="minted">
        <Time iso={agentKey.createdAt} />
      </Td>
      <Td label="expires">{agentKey.expiresAt ? <Time iso={agentKey.expiresAt} /> : "never"}</Td>
      <Td label="last used">{agentKey.lastUsedAt ? <Time iso={agentKey.lastUsedAt} /> : "never"}</Td>
      <Td className="text-right">
        {onRevoke && state === null ? (
          <Button size="sm" onClick={onRevoke} aria-label={`Revoke ${agentKey.name}`}>
            Revoke
          </Button>
        ) : null}
      </Td>
    </Tr>
  );
}

function RevokeKey({
  tenant,
  agent,
  agentKey,
  onClose,
}: {
  readonly tenant: string;
  readonly agent: AgentDetail;
  readonly agentKey: AgentKeyView;
  readonly onClose: () => void;
}) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeAgentKey(tenant, agent.id, agentKey.id),
    onSuccess: async () => {
      toast.success(`Key ${agentKey.name} is revoked.`);
      await client.invalidateQueries({ queryKey: agentKeys.all(tenant) });
      onClose();
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Revoke ${agentKey.name}`}
      description={`Clients that use ${agentKey.prefix}… are refused within seconds. This cannot be undone.`}
      action="Revoke key"
      danger
      pending={revoke.isPending}
      onConfirm={() => revoke.mutate()}
    >
      <FormError>{revoke.error ? problemText(revoke.error) : null}</FormError>
    </ConfirmDialog>
  );
}
