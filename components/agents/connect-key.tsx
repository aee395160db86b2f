"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { FormError } from "@/components/ui/form-error";
import { SecretOnce } from "@/components/ui/secret-once";
import type { AgentDetail } from "@/lib/agents/schemas";
import { agentKeys, mintAgentKey } from "@/lib/client/agents";
import { problemText } from "@/lib/client/form-issues";

const DAYS = 90;

/** Mints a key in place; the snippets below then hold it. */
export function ConnectKey({
  tenant,
  agent,
  secret,
  onSecret,
}: {
  readonly tenant: string;
  readonly agent: AgentDetail;
  readonly secret: string | null;
  readonly onSecret: (secret: string) => void;
}) {
  const client = useQueryClient();
  const mayWrite = useMay("agents:write");
  const mint = useMutation({
    mutationFn: () => mintAgentKey(tenant, { id: agent.id, name: "connect", expiresInDays: DAYS }),
    onSuccess: async (key) => {
      onSecret(key.secret);
      await client.invalidateQueries({ queryKey: agentKeys.detail(tenant, agent.id) });
    },
  });
  if (secret !== null) return <SecretOnce secret={secret} label="key" />;
  return (
    <div className="flex flex-col gap-2 text-sm">
      <p className="text-muted">
        {agent.activeKeys > 0
          ? `It has ${agent.activeKeys} working ${agent.activeKeys === 1 ? "key" : "keys"}. Use one you stored, or mint another.`
          : "It has no key yet."}
      </p>
      {mayWrite ? (
        <Button variant="primary" className="self-start" pending={mint.isPending} onClick={() => mint.mutate()}>
          <KeyRound aria-hidden />
          Mint a key for {DAYS} days
        </Button>
      ) : (
        <p className="text-muted">Minting a key needs the permission agents:write.</p>
      )}
      <FormError>{mint.error ? problemText(mint.error) : null}</FormError>
    </div>
  );
}
