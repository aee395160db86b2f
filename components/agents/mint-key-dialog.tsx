"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { SecretOnce } from "@/components/ui/secret-once";
import { Select } from "@/components/ui/select";
import type { AgentDetail } from "@/lib/agents/schemas";
import { agentKeys, mintAgentKey } from "@/lib/client/agents";
import { problemText } from "@/lib/client/form-issues";

export const EXPIRY_OPTIONS = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "1 year" },
] as const;
const AGENT_EXPIRY = [...EXPIRY_OPTIONS, { value: "", label: "Never" }];

/** Mints a key and shows its secret, once. */
export function MintKeyDialog({
  tenant,
  agent,
  onClose,
}: {
  readonly tenant: string;
  readonly agent: AgentDetail;
  readonly onClose: () => void;
}) {
  const client = useQueryClient();
  const [name, setName] = useState(`key ${agent.keys.length + 1}`);
  const [days, setDays] = useState("90");
  const mint = useMutation({
    mutationFn: () =>
      mintAgentKey(tenant, {
        id: agent.id,
        name: name.trim(),
        ...(days === "" ? {} : { expiresInDays: Number(days) }),
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: agentKeys.all(tenant) }),
  });
  if (mint.data)
    return (
      <Dialog
        open
        onOpenChange={(open) => !open && onClose()}
        title="Copy the key now"
        description="It is stored only as a hash, so nobody can show it again."
        footer={
          <>
            <Button asChild>
              <Link href={`/${tenant}/agents/${agent.id}/connect`}>Connect a client</Link>
            </Button>
            <Button variant="primary" onClick={onClose}>
              I have stored it
            </Button>
          </>
        }
      >
        <SecretOnce secret={mint.data.secret} label="key" />
      </Dialog>
    );
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Mint a key for ${agent.name}`}
      size="sm"
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            variant="primary"
            type="submit"
            form="mint-key"
            pending={mint.isPending}
            disabled={name.trim() === ""}
          >
            Mint key
          </Button>
        </>
      }
    >
      <form
        id="mint-key"
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          mint.mutate();
        }}
      >
        <Field label="Name" hint="Where it will be used, for example “laptop”.">
          <Input value={name} maxLength={60} onChange={(event) => setName(event.target.value)} />
        </Field>
        <Field label="Expires">
          <Select value={days} onValueChange={setDays} options={AGENT_EXPIRY} />
        </Field>
        <FormError>{mint.error ? problemText(mint.error) : null}</FormError>
      </form>
    </Dialog>
  );
}
