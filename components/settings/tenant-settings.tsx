"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { Controller, useForm } from "react-hook-form";
import type { z } from "zod";
import { ZoneChoice } from "@/components/servers/zone-choice";
import { useMay, useMe } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Id } from "@/components/ui/id";
import { Input } from "@/components/ui/input";
import { Note } from "@/components/ui/note";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { showIssues } from "@/lib/client/form-issues";
import { meKeys } from "@/lib/client/me";
import { changeTenant } from "@/lib/client/tenants";
import { plainRules } from "@/lib/core/plain-rules";
import { changeTenantInput, RESIDENCIES } from "@/lib/tenants/schemas";

type Values = z.input<typeof changeTenantInput>;

/** Name, zones and residency; the last two are the platform admins' to change. */
export function TenantSettings({ tenant }: { readonly tenant: string }) {
  const me = useMe();
  const client = useQueryClient();
  const router = useRouter();
  const mayWrite = useMay("tenant:write");
  const active = me.activeTenant;
  const form = useForm<Values>({
    resolver: zodResolver(changeTenantInput, plainRules),
    defaultValues: {
      id: active?.id ?? "",
      name: active?.name ?? "",
      zones: [...(active?.zones ?? [])],
      ...(RESIDENCIES.find((known) => known === active?.residency)
        ? { residency: RESIDENCIES.find((known) => known === active?.residency) }
        : {}),
      reason: "",
    },
  });
  const { errors } = form.formState;
  const save = useMutation({
    mutationFn: ({ zones, residency, ...rest }: Values) =>
      changeTenant({ ...rest, ...(me.platformAdmin ? { zones, residency } : {}) }, tenant),
    onSuccess: async () => {
      toast.success("Settings saved.");
      form.resetField("reason");
      await client.invalidateQueries({ queryKey: meKeys.all });
      // Rail and badges come from the server's layout.
      router.refresh();
    },
    onError: (cause) => showIssues(form.setError, ["name", "zones", "residency", "reason"], cause),
  });
  if (!active) return <Note tone="warn">No tenant is open.</Note>;
  return (
    <form
      noValidate
      className="flex max-w-2xl flex-col gap-4"
      onSubmit={form.handleSubmit((values) => save.mutate(values))}
    >
      <p className="flex items-center gap-2 text-sm text-muted">
        <code className="font-mono text-xs">{active.slug}</code> <Id value={active.id} label="tenant id" />
      </p>
      {mayWrite ? null : <Note>Changing the tenant needs the permission tenant:write.</Note>}
      <Field label="Name" error={errors.name?.message}>
        <Input disabled={!mayWrite} {...form.register("name")} />
      </Field>
      <Controller
        control={form.control}
        name="zones"
        render={({ field }) => (
          <ZoneChoice value={field.value ?? []} onChange={field.onChange} disabled={!me.platformAdmin} />
        )}
      />
      <Controller
        control={form.control}
        name="residency"
        render={({ field, fieldState }) => (
          <Field
            label="Residency"
            hint={
              me.platformAdmin
                ? "Where this tenant's data may live."
                : "Zones and residency are set by a platform admin."
            }
            error={fieldState.error?.message}
          >
            <Select
              disabled={!me.platformAdmin}
              value={field.value ?? ""}
              onValueChange={field.onChange}
              options={RESIDENCIES.map((value) => ({ value, label: value.toUpperCase() }))}
            />
          </Field>
        )}
      />
      {mayWrite ? (
        <>
          <Field label="Reason" hint="Recorded in the audit trail." error={errors.reason?.message}>
            <Input {...form.register("reason")} />
          </Field>
          <FormError>{errors.root?.message}</FormError>
          <div>
            <Button type="submit" variant="primary" pending={save.isPending}>
              Save settings
            </Button>
          </div>
        </>
      ) : null}
    </form>
  );
}
