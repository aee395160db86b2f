"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Controller, FormProvider, useForm } from "react-hook-form";
import type { z } from "zod";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { NameAndSlug } from "@/components/ui/name-and-slug";
import { toast } from "@/components/ui/toast";
import { accessKeys } from "@/lib/client/access";
import { showIssues } from "@/lib/client/form-issues";
import { changeRole, createRole, memberKeys } from "@/lib/client/members";
import { plainRules } from "@/lib/core/plain-rules";
import { createRoleInput, type RoleView } from "@/lib/members/schemas";
import { PermissionChips } from "./permission-chips";

type Values = z.input<typeof createRoleInput>;
export type RoleDialogProps = {
  readonly tenant: string;
  /** The role to edit; null makes a new one. */
  readonly edited: RoleView | null;
  readonly known: readonly string[];
  readonly onClose: () => void;
};

/** Creates or edits a custom role. */
export function RoleDialog({ tenant, edited: role, known, onClose }: RoleDialogProps) {
  const client = useQueryClient();
  const form = useForm<Values>({
    resolver: zodResolver(createRoleInput, plainRules),
    defaultValues: {
      slug: role?.slug ?? "",
      name: role?.name ?? "",
      description: role?.description ?? "",
      permissions: [...(role?.permissions ?? [])],
    },
  });
  const { errors } = form.formState;
  const save = useMutation({
    mutationFn: (values: Values) => (role ? changeRole(tenant, values) : createRole(tenant, values)),
    onSuccess: async (saved) => {
      toast.success(role ? `Role ${saved.name} saved.` : `Role ${saved.name} created.`);
      await Promise.all([
        client.invalidateQueries({ queryKey: memberKeys.all(tenant) }),
        client.invalidateQueries({ queryKey: accessKeys.all(tenant) }),
      ]);
      onClose();
    },
    onError: (cause) => showIssues(form.setError, ["slug", "name", "description", "permissions"], cause),
  });
  return (
    <FormProvider {...form}>
      <Dialog
        open
        onOpenChange={(open) => !open && onClose()}
        title={role ? `Edit ${role.name}` : "Create a role"}
        description="A role is a set of permissions. Agents and members hold roles."
        footer={
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button variant="primary" type="submit" form="role-form" pending={save.isPending}>
              {role ? "Save role" : "Create role"}
            </Button>
          </>
        }
      >
        <form
          id="role-form"
          className="flex flex-col gap-4"
          onSubmit={form.handleSubmit((values) => save.mutate(values))}
          noValidate
        >
          <NameAndSlug hint="Its name in the trail and in files. Cannot be changed later." fixed={role !== null} />
          <Field label="Description" optional error={errors.description?.message}>
            <Input {...form.register("description")} />
          </Field>
          <Controller
            control={form.control}
            name="permissions"
            render={({ field, fieldState }) => (
              <Field label="Permissions" error={fieldState.error?.message}>
                <PermissionChips value={field.value} onChange={(next) => field.onChange([...next])} known={known} />
              </Field>
            )}
          />
          <FormError>{errors.root?.message}</FormError>
        </form>
      </Dialog>
    </FormProvider>
  );
}
