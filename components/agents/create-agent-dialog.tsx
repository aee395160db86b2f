"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { Controller, FormProvider, type UseFormReturn, useForm } from "react-hook-form";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { Combobox } from "@/components/ui/combobox";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { NameAndSlug } from "@/components/ui/name-and-slug";
import { toast } from "@/components/ui/toast";
import { type CreateAgentInput, createAgentInput } from "@/lib/agents/schemas";
import { agentKeys, createAgent } from "@/lib/client/agents";
import { showIssues } from "@/lib/client/form-issues";
import { membersQuery, rolesQuery } from "@/lib/client/members";
import { plainRules } from "@/lib/core/plain-rules";

const FIELDS = ["slug", "name", "description", "roles", "ownerMemberId"];

/** A new agent with its owner and roles; its page comes next, where it is connected. */
export function CreateAgentDialog({ tenant, onClose }: { readonly tenant: string; readonly onClose: () => void }) {
  const client = useQueryClient();
  const router = useRouter();
  const form = useForm<CreateAgentInput>({
    resolver: zodResolver(createAgentInput, plainRules),
    defaultValues: { slug: "", name: "", description: "", roles: [] },
  });
  const { errors } = form.formState;
  const create = useMutation({
    mutationFn: (input: CreateAgentInput) => createAgent(tenant, input),
    onSuccess: async (agent) => {
      toast.success(`Agent ${agent.name} created.`);
      await client.invalidateQueries({ queryKey: agentKeys.all(tenant) });
      router.push(`/${tenant}/agents/${agent.id}/connect`);
    },
    onError: (cause) => showIssues(form.setError, FIELDS, cause),
  });
  return (
    <FormProvider {...form}>
      <Dialog
        open
        onOpenChange={(open) => !open && onClose()}
        title="Create an agent"
        description="A software caller that somebody answers for. You connect it in the next step."
        footer={
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button variant="primary" type="submit" form="agent-form" pending={create.isPending}>
              Create and connect
            </Button>
          </>
        }
      >
        <form
          id="agent-form"
          noValidate
          className="flex flex-col gap-4"
          onSubmit={form.handleSubmit((input) => create.mutate(input))}
        >
          <NameAndSlug hint="Its name in the trail. Cannot be changed later." />
          <Field label="Description" optional error={errors.description?.message}>
            <Input {...form.register("description")} />
          </Field>
          <RolesField tenant={tenant} form={form} />
          <OwnerField tenant={tenant} form={form} />
          <FormError>{errors.root?.message}</FormError>
        </form>
      </Dialog>
    </FormProvider>
  );
}

type FieldProps = { readonly tenant: string; readonly form: UseFormReturn<CreateAgentInput> };

function RolesField({ tenant, form }: FieldProps) {
  const mayGrant = useMay("access:write");
  const maySeeRoles = useMay("access:read");
  const roles = useQuery({ ...rolesQuery(tenant), enabled: maySeeRoles });
  return (
    <Controller
      control={form.control}
      name="roles"
      render={({ field, fieldState }) => (
        <Field
          label="Roles"
          optional
          hint={
            mayGrant
              ? "What it may call follows from these."
              : "Giving roles needs access:write; a tenant admin can add them later."
          }
          error={fieldState.error?.message}
        >
          <Combobox
            label="Roles"
            multiple
            placeholder="No roles yet"
            disabled={!mayGrant}
            options={(roles.data ?? []).map((role) => ({
              value: role.slug,
              label: role.name,
              hint: role.builtIn ? "built-in" : "",
            }))}
            values={field.value ?? []}
            onValuesChange={(values) => field.onChange([...values])}
          />
        </Field>
      )}
    />
  );
}

function OwnerField({ tenant, form }: FieldProps) {
  const maySeeMembers = useMay("members:read");
  const members = useQuery({ ...membersQuery(tenant), enabled: maySeeMembers });
  if (!maySeeMembers) return null;
  return (
    <Controller
      control={form.control}
      name="ownerMemberId"
      render={({ field, fieldState }) => (
        <Field label="Owner" hint="Who answers for it." error={fieldState.error?.message}>
          <Combobox
            label="Owner"
            placeholder="You"
            options={(members.data ?? []).map((member) => ({
              value: member.id,
              label: member.name,
              hint: member.email,
            }))}
            values={field.value ? [field.value] : []}
            onValuesChange={([value]) => field.onChange(value)}
          />
        </Field>
      )}
    />
  );
}
