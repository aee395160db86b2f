"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Controller, useForm } from "react-hook-form";
import type { z } from "zod";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { Note } from "@/components/ui/note";
import { Select } from "@/components/ui/select";
import { Textarea } from "@/components/ui/textarea";
import { toast } from "@/components/ui/toast";
import { showIssues } from "@/lib/client/form-issues";
import { changeServer, serverKeys } from "@/lib/client/servers";
import { plainRules } from "@/lib/core/plain-rules";
import { changeServerInput, type ServerDetail } from "@/lib/servers/schemas";
import { RESIDENCIES, type Zone } from "@/lib/tenants/schemas";
import { CircuitSettings } from "./circuit-settings";
import { keptOpenWords } from "./kept-open";
import { SecretRows } from "./secret-rows";
import { ZoneChoice } from "./zone-choice";

type Values = z.input<typeof changeServerInput>;
const FIELDS = ["name", "description", "credential", "zones", "residency", "deadlineMs", "poolSize"];
const RESIDENCY_OPTIONS = [
  { value: "", label: "The tenant's" },
  ...RESIDENCIES.map((value) => ({ value, label: value.toUpperCase() })),
];

/** What can be changed of a registered server. Its slug and address are what was approved, so they cannot. */
export function ServerSettings({ tenant, server }: { readonly tenant: string; readonly server: ServerDetail }) {
  const client = useQueryClient();
  const mayWrite = useMay("servers:write");
  const form = useForm<Values>({
    resolver: zodResolver(changeServerInput, plainRules),
    defaultValues: {
      id: server.id,
      name: server.name,
      description: server.description,
      zones: [...server.zones] as Zone[],
      residency: RESIDENCIES.find((known) => known === server.residency) ?? "",
      deadlineMs: server.deadlineMs,
      poolSize: server.poolSize,
    },
  });
  const { errors } = form.formState;
  const save = useMutation({
    mutationFn: (values: Values) => changeServer(tenant, values),
    onSuccess: async () => {
      toast.success("Settings saved.");
      await client.invalidateQueries({ queryKey: serverKeys.all(tenant) });
    },
    onError: (cause) => showIssues(form.setError, FIELDS, cause),
  });
  return (
    <div className="flex flex-col gap-8">
      <form
        className="flex max-w-3xl flex-col gap-4"
        noValidate
        onSubmit={form.handleSubmit((values) => save.mutate(values))}
      >
        {mayWrite ? null : <Note tone="warn">Changing a server needs the permission servers:write.</Note>}
        <fieldset disabled={!mayWrite} className="flex flex-col gap-4">
          <Field label="Name" error={errors.name?.message}>
            <Input {...form.register("name")} />
          </Field>
          <Field label="Description" optional error={errors.description?.message}>
            <Textarea rows={2} {...form.register("description")} />
          </Field>
          <Controller
            control={form.control}
            name="zones"
            render={({ field }) => (
              <ZoneChoice value={field.value ?? []} onChange={field.onChange} disabled={!mayWrite} />
            )}
          />
          <div className="grid gap-4 sm:grid-cols-3">
            <Controller
              control={form.control}
              name="residency"
              render={({ field, fieldState }) => (
                <Field label="Residency" error={fieldState.error?.message}>
                  <Select
                    value={field.value ?? ""}
                    onValueChange={field.onChange}
                    options={RESIDENCY_OPTIONS}
                    disabled={!mayWrite}
                  />
                </Field>
              )}
            />
            <Field
              label="Deadline, ms"
              hint="How long the server has for a call. Waiting for a place comes on top, at most as long again."
              error={errors.deadlineMs?.message}
            >
              <Input type="number" {...form.register("deadlineMs", { valueAsNumber: true })} />
            </Field>
            <Field {...keptOpenWords(server.transport)} error={errors.poolSize?.message}>
              <Input type="number" {...form.register("poolSize", { valueAsNumber: true })} />
            </Field>
          </div>
          <Controller
            control={form.control}
            name="credential"
            render={({ field }) => (
              <div className="flex flex-col gap-1">
                <p className="text-sm font-medium">Replace credentials</p>
                <p className="text-xs text-muted">
                  Now sealed: {server.credentialNames.join(", ") || "none"}. What you enter replaces all of them; leave
                  empty to keep them.
                </p>
                <SecretRows
                  value={field.value}
                  onChange={field.onChange}
                  noun={server.transport === "stdio" ? "secret variable" : "header"}
                  namePlaceholder={server.transport === "stdio" ? "API_KEY" : "Authorization"}
                  secret
                />
              </div>
            )}
          />
          <FormError>{errors.root?.message}</FormError>
          <div>
            <Button type="submit" variant="primary" pending={save.isPending}>
              Save settings
            </Button>
          </div>
        </fieldset>
      </form>
      <CircuitSettings tenant={tenant} server={server} />
    </div>
  );
}
