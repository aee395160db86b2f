"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Controller, FormProvider, useForm, useFormContext } from "react-hook-form";
import { ZoneChoice } from "@/components/servers/zone-choice";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { NameAndSlug } from "@/components/ui/name-and-slug";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { showIssues } from "@/lib/client/form-issues";
import { createTenant, tenantKeys } from "@/lib/client/tenants";
import { plainRules } from "@/lib/core/plain-rules";
import { type CreateTenantInput, createTenantInput, RESIDENCIES } from "@/lib/tenants/schemas";

/** A new tenant and the invitation of its first admin. */
export function CreateTenantDialog({ onClose }: { readonly onClose: () => void }) {
  const client = useQueryClient();
  const form = useForm<CreateTenantInput>({
    resolver: zodResolver(createTenantInput, plainRules),
    defaultValues: { slug: "", name: "", zones: [], adminEmail: "" },
  });
  const { errors } = form.formState;
  const create = useMutation({
    mutationFn: createTenant,
    onSuccess: async (tenant) => {
      toast.success(`Tenant ${tenant.name} created; its first admin is invited.`);
      await client.invalidateQueries({ queryKey: tenantKeys.all });
      onClose();
    },
    onError: (cause) => showIssues(form.setError, ["slug", "name", "zones", "residency", "adminEmail"], cause),
  });
  return (
    <FormProvider {...form}>
      <Dialog
        open
        onOpenChange={(open) => !open && onClose()}
        title="Create a tenant"
        footer={
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button variant="primary" type="submit" form="tenant-form" pending={create.isPending}>
              Create tenant
            </Button>
          </>
        }
      >
        <form
          id="tenant-form"
          noValidate
          className="flex flex-col gap-4"
          onSubmit={form.handleSubmit((values) => create.mutate(values))}
        >
          <NameAndSlug hint="In the console's addresses. Cannot be changed later." />
          <Controller
            control={form.control}
            name="zones"
            render={({ field }) => <ZoneChoice value={field.value ?? []} onChange={field.onChange} />}
          />
          <Controller
            control={form.control}
            name="residency"
            render={({ field, fieldState }) => (
              <Field
                label="Residency"
                hint="Where its data may live."
                error={fieldState.error ? "choose a region" : undefined}
              >
                <Select
                  value={field.value ?? ""}
                  placeholder="Choose a region"
                  onValueChange={field.onChange}
                  options={RESIDENCIES.map((value) => ({ value, label: value.toUpperCase() }))}
                />
              </Field>
            )}
          />
          <FirstAdminField />
          <FormError>{errors.root?.message}</FormError>
        </form>
      </Dialog>
    </FormProvider>
  );
}

/** A component of its own, so that it stands behind name and slug when the first faulty field gets the focus. */
function FirstAdminField() {
  const { register, formState } = useFormContext<CreateTenantInput>();
  return (
    <Field
      label="First admin's e-mail"
      hint="Invited as tenant admin; joins by signing in with this address."
      error={formState.errors.adminEmail?.message}
    >
      <Input type="email" autoComplete="off" {...register("adminEmail")} />
    </Field>
  );
}
