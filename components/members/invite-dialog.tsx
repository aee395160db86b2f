"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Controller, useForm } from "react-hook-form";
import type { z } from "zod";
import { Button } from "@/components/ui/button";
import { Combobox } from "@/components/ui/combobox";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { toast } from "@/components/ui/toast";
import { showIssues } from "@/lib/client/form-issues";
import { inviteMember, memberKeys, rolesQuery } from "@/lib/client/members";
import { plainRules } from "@/lib/core/plain-rules";
import { inviteMemberInput } from "@/lib/members/schemas";

type Values = z.input<typeof inviteMemberInput>;

/** Invites somebody by the address their SSO will vouch for. */
export function InviteDialog({ tenant, onClose }: { readonly tenant: string; readonly onClose: () => void }) {
  const client = useQueryClient();
  const roles = useQuery(rolesQuery(tenant));
  const form = useForm<Values>({
    resolver: zodResolver(inviteMemberInput, plainRules),
    defaultValues: { email: "", roles: [] },
  });
  const { errors } = form.formState;
  const invite = useMutation({
    mutationFn: (values: Values) => inviteMember(tenant, values),
    onSuccess: async (invitation) => {
      toast.success(`${invitation.email} is invited.`);
      await client.invalidateQueries({ queryKey: memberKeys.all(tenant) });
      onClose();
    },
    onError: (cause) => showIssues(form.setError, ["email", "roles"], cause),
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Invite a member"
      description="They join when they first sign in by SSO with this address. No e-mail is sent from here; tell them yourself."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" type="submit" form="invite-form" pending={invite.isPending}>
            Invite
          </Button>
        </>
      }
    >
      <form
        id="invite-form"
        noValidate
        className="flex flex-col gap-4"
        onSubmit={form.handleSubmit((values) => invite.mutate(values))}
      >
        <Field label="E-mail" error={errors.email?.message}>
          <Input type="email" autoComplete="off" {...form.register("email")} />
        </Field>
        <Controller
          control={form.control}
          name="roles"
          render={({ field, fieldState }) => (
            <Field label="Roles" error={fieldState.error?.message}>
              <Combobox
                label="Roles"
                multiple
                placeholder="Choose roles"
                options={(roles.data ?? []).map((role) => ({
                  value: role.slug,
                  label: role.name,
                  hint: role.builtIn ? "built-in" : "",
                }))}
                values={field.value}
                onValuesChange={(values) => field.onChange([...values])}
              />
            </Field>
          )}
        />
        <FormError>{errors.root?.message}</FormError>
      </form>
    </Dialog>
  );
}
