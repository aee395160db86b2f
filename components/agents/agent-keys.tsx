"use client";
import { useState } from "react";
import { CredentialCells, CredentialTimes, useCredentialEnd } from "@/components/credentials/credential-cells";
import { RevokeDialog } from "@/components/credentials/revoke-dialog";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { Section } from "@/components/ui/section";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { Time } from "@/components/ui/time";
import type { AgentDetail, AgentKeyView } from "@/lib/agents/schemas";
import { agentKeys, revokeAgentKey } from "@/lib/client/agents";
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
        <RevokeDialog
          what="key"
          name={revoking.name}
          effect={`Clients that use ${revoking.prefix}… are refused within seconds.`}
          revoke={() => revokeAgentKey(tenant, agent.id, revoking.id)}
          shownBy={agentKeys.all(tenant)}
          onClose={() => setRevoking(null)}
        />
      ) : null}
    </Section>
  );
}

function KeyRow({ agentKey, onRevoke }: { readonly agentKey: AgentKeyView; readonly onRevoke: (() => void) | null }) {
  const end = useCredentialEnd(agentKey);
  return (
    <Tr>
      <CredentialCells of={agentKey} />
      <Td label="minted">
        <Time iso={agentKey.createdAt} />
      </Td>
      <CredentialTimes of={agentKey} />
      <Td className="text-right">
        {onRevoke && end === null ? (
          <Button size="sm" onClick={onRevoke} aria-label={`Revoke ${agentKey.name}`}>
            Revoke
          </Button>
        ) : null}
      </Td>
    </Tr>
  );
}
