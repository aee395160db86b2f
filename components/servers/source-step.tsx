"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { Button } from "@/components/ui/button";
import { Section } from "@/components/ui/section";
import { toast } from "@/components/ui/toast";
import { showIssues } from "@/lib/client/form-issues";
import { probeServer, registerServer, serverKeys } from "@/lib/client/servers";
import { plainRules } from "@/lib/core/plain-rules";
import { type ParsedServer, type RegisterServerInput, registerServerInput, usualPoolSize } from "@/lib/servers/schemas";
import { PasteBox } from "./paste-box";
import { ProbeStep } from "./probe-step";
import { SERVER_FIELDS, ServerFormFields } from "./server-form";

const BLANK = { zones: [], residency: "" as const, deadlineMs: 30_000, description: "" };

export type SourceStepProps = {
  readonly tenant: string;
  readonly probing: boolean;
  readonly onProbing: (on: boolean) => void;
  readonly onRegistered: (id: string) => void;
};

/** Paste, correct, probe, and register what answered. */
export function SourceStep({ tenant, probing, onProbing, onRegistered }: SourceStepProps) {
  const client = useQueryClient();
  const form = useForm<RegisterServerInput>({ resolver: zodResolver(registerServerInput, plainRules) });
  const filled = form.watch("endpoint") !== undefined;
  const probe = useMutation({
    mutationFn: (input: RegisterServerInput) =>
      probeServer(tenant, { endpoint: input.endpoint, credential: input.credential }),
    onSuccess: () => onProbing(true),
    onError: (cause) => showIssues(form.setError, SERVER_FIELDS, cause),
  });
  const register = useMutation({
    mutationFn: (input: RegisterServerInput) => registerServer(tenant, input),
    onSuccess: async (server) => {
      toast.success(`${server.name} is registered as a draft.`);
      client.setQueryData(serverKeys.detail(tenant, server.id), server);
      await client.invalidateQueries({ queryKey: serverKeys.all(tenant) });
      onRegistered(server.id);
    },
    onError: (cause) => {
      onProbing(false);
      showIssues(form.setError, SERVER_FIELDS, cause);
    },
  });
  const fill = (server: ParsedServer) => {
    probe.reset();
    const { credential, ...rest } = server;
    const poolSize = usualPoolSize(server.endpoint.transport);
    form.reset({ ...BLANK, poolSize, ...rest, ...(credential ? { credential } : {}) } as RegisterServerInput);
  };
  const values = form.getValues();

  if (probing && probe.data)
    return (
      <ProbeStep
        probe={probe.data}
        endpoint={values.endpoint}
        name={values.name}
        probing={probe.isPending}
        registering={register.isPending}
        onBack={() => onProbing(false)}
        onProbe={() => probe.mutate(values)}
        onRegister={form.handleSubmit(
          (input) => register.mutate(input),
          () => onProbing(false),
        )}
      />
    );
  return (
    <form
      className="flex max-w-4xl flex-col gap-6"
      noValidate
      onSubmit={form.handleSubmit((input) => probe.mutate(input))}
    >
      <PasteBox tenant={tenant} onServer={fill} />
      {filled ? (
        <>
          <Section title="What this means" note="Correct what is not right. Nothing is stored before you register.">
            <ServerFormFields key={`${values.slug} ${values.endpoint.transport}`} form={form} />
          </Section>
          <div>
            <Button type="submit" variant="primary" pending={probe.isPending}>
              {values.endpoint.transport === "stdio" ? "Start the command and probe" : "Probe"}
            </Button>
          </div>
        </>
      ) : null}
    </form>
  );
}
