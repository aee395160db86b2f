"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import type { z } from "zod";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { Section } from "@/components/ui/section";
import { toast } from "@/components/ui/toast";
import { showIssues } from "@/lib/client/form-issues";
import { changeServer, serverKeys } from "@/lib/client/servers";
import { plainRules } from "@/lib/core/plain-rules";
import { changeServerInput, type ServerDetail } from "@/lib/servers/schemas";

type Values = z.input<typeof changeServerInput>;

const CIRCUIT = [
  ["failureThreshold", "Failures in a row that open it", "5"],
  ["successRate", "Opens below this share of successes (0 to 1)", "0.8; 0.9 with HIPAA, 0.95 with SOX"],
  ["minimumCalls", "Calls before a share counts", "20"],
  ["windowMs", "The shares look back, ms", "60000"],
  ["slowMs", "A call is slow after, ms", "5000"],
  ["slowRate", "Opens from this share of slow calls (0 to 1)", "0.8"],
  ["recoveryMs", "First rest, ms; doubles each time", "60000"],
  ["maxRecoveryMs", "Longest rest, ms", "600000"],
  ["halfOpenMaxCalls", "Trial calls at once", "3"],
  ["successThreshold", "Successful trials that close it", "3"],
] as const;

const POOL = [
  ["maxConcurrent", "Calls in flight at most", "1024"],
  ["maxQueued", "Calls that may wait", "256"],
] as const;
const CHILDREN = ["maxChildren", "Programs side by side", "1; more only for a server that keeps no state"] as const;

const FIELDS = [
  ...CIRCUIT.map(([name]) => `circuitPolicy.${name}`),
  ...[...POOL, CHILDREN].map(([name]) => `poolLimits.${name}`),
  "circuitPolicy.perTool",
];

/** An empty field is no wish of its own: the default holds. */
const asNumber = { setValueAs: (value: unknown) => (value === "" || value == null ? undefined : Number(value)) };
const asNames = {
  setValueAs: (value: unknown) =>
    Array.isArray(value)
      ? value
      : String(value ?? "")
          .split(",")
          .map((name) => name.trim())
          .filter((name) => name !== ""),
};

/** When the server's circuit opens and closes, and how much the server may hold at once. */
export function CircuitSettings({ tenant, server }: { readonly tenant: string; readonly server: ServerDetail }) {
  const client = useQueryClient();
  const mayWrite = useMay("servers:write");
  const form = useForm<Values>({
    resolver: zodResolver(changeServerInput, plainRules),
    defaultValues: {
      id: server.id,
      circuitPolicy: { ...server.circuitPolicy, perTool: [...(server.circuitPolicy?.perTool ?? [])] },
      poolLimits: { ...server.poolLimits },
    },
  });
  const { circuitPolicy: badCircuit, poolLimits: badPool, root } = form.formState.errors;
  const save = useMutation({
    mutationFn: (values: Values) => changeServer(tenant, values),
    onSuccess: async () => {
      toast.success("Settings saved.");
      await client.invalidateQueries({ queryKey: serverKeys.all(tenant) });
    },
    onError: (cause) => showIssues(form.setError, FIELDS, cause),
  });
  const pool = server.transport === "stdio" ? [...POOL, CHILDREN] : POOL;
  return (
    <Section title="Circuit and connections" note="Empty fields follow the defaults for the tenant's zones.">
      <form
        className="flex max-w-3xl flex-col gap-4"
        noValidate
        onSubmit={form.handleSubmit((values) => save.mutate(values))}
      >
        <fieldset disabled={!mayWrite} className="flex flex-col gap-4">
          <div className="grid gap-4 sm:grid-cols-2">
            {CIRCUIT.map(([name, label, usual]) => (
              <Field key={name} label={label} hint={`Default ${usual}`} error={badCircuit?.[name]?.message}>
                <Input type="number" step="any" {...form.register(`circuitPolicy.${name}`, asNumber)} />
              </Field>
            ))}
            {pool.map(([name, label, usual]) => (
              <Field key={name} label={label} hint={`Default ${usual}`} error={badPool?.[name]?.message}>
                <Input type="number" {...form.register(`poolLimits.${name}`, asNumber)} />
              </Field>
            ))}
          </div>
          <Field
            label="Tools with a circuit of their own"
            optional
            hint="Names, comma separated. What they do leaves the server's circuit alone."
            error={badCircuit?.perTool?.message}
          >
            <Input {...form.register("circuitPolicy.perTool", asNames)} />
          </Field>
          <FormError>{root?.message}</FormError>
          <div>
            <Button type="submit" variant="primary" pending={save.isPending}>
              Save circuit and connections
            </Button>
          </div>
        </fieldset>
      </form>
    </Section>
  );
}
