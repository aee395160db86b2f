"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Controller, FormProvider, useForm } from "react-hook-form";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { NameAndSlug } from "@/components/ui/name-and-slug";
import { Select } from "@/components/ui/select";
import { Textarea } from "@/components/ui/textarea";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";
import { changeProfile, createProfile, profileKeys } from "@/lib/client/profiles";
import { plainRules } from "@/lib/core/plain-rules";
import { createProfileInput, type ProfileMode, type ProfileView } from "@/lib/profiles/schemas";
import { fromLines, toLines } from "./profile-lines";

type Values = { slug: string; name: string; description: string; mode: ProfileMode; lines: string };
export type ProfileDialogProps = {
  readonly tenant: string;
  /** The profile to edit; null makes a new one. */
  readonly edited: ProfileView | null;
  readonly onClose: () => void;
};

const MODES = [
  { value: "list", label: "List: every tool with its schema" },
  { value: "search", label: "Search: search_tools and call_tool only" },
] as const;

/** Creates or edits a profile. */
export function ProfileDialog({ tenant, edited, onClose }: ProfileDialogProps) {
  const client = useQueryClient();
  const form = useForm<Values>({
    defaultValues: {
      slug: edited?.slug ?? "",
      name: edited?.name ?? "",
      description: edited?.description ?? "",
      mode: edited?.mode ?? "list",
      lines: toLines(edited?.tools ?? []),
    },
  });
  const { errors } = form.formState;
  const save = useMutation({
    mutationFn: ({ lines, ...values }: Values) => {
      const { slug, ...fields } = { ...values, tools: fromLines(lines) };
      return edited ? changeProfile(tenant, { id: edited.id, ...fields }) : createProfile(tenant, { slug, ...fields });
    },
    onSuccess: async (saved) => {
      toast.success(`Profile ${saved.name} saved.`);
      await client.invalidateQueries({ queryKey: profileKeys.list(tenant) });
      onClose();
    },
    onError: (cause) => form.setError("root", { message: problemText(cause) }),
  });
  const submit = form.handleSubmit((values) => {
    const checked = createProfileInput.safeParse({ ...values, tools: fromLines(values.lines) }, plainRules);
    for (const { path, message } of checked.error?.issues ?? []) {
      const line = typeof path[1] === "number" ? `Line ${path[1] + 1}: ` : "";
      const field = path[0] === "tools" ? "lines" : (path[0] as keyof Values);
      form.setError(field, { message: `${line}${message}` });
    }
    if (checked.success) save.mutate(values);
  });
  return (
    <FormProvider {...form}>
      <Dialog
        open
        onOpenChange={(open) => !open && onClose()}
        title={edited ? `Edit ${edited.name}` : "Create a profile"}
        description="A part of the catalog with a door of its own. It gives no permission: what a caller may not call is not listed there either."
        footer={
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button variant="primary" type="submit" form="profile-form" pending={save.isPending}>
              Save profile
            </Button>
          </>
        }
      >
        <form id="profile-form" className="flex flex-col gap-4" onSubmit={submit} noValidate>
          <NameAndSlug hint="The end of its address. Cannot be changed later." fixed={edited !== null} />
          <Field label="Description" optional error={errors.description?.message}>
            <Input {...form.register("description")} />
          </Field>
          <Controller
            control={form.control}
            name="mode"
            render={({ field }) => (
              <Field
                label="What its door lists"
                hint="Searching costs a fixed number of tokens, however large the catalog is."
              >
                <Select value={field.value} onValueChange={field.onChange} options={MODES} />
              </Field>
            )}
          />
          <Field
            label="Tools"
            hint="One server/tool by line; * stands for any characters, e.g. files/read_* or */search. Resources and prompts belong where a line says files/resources:read, files/prompts:get or files/*."
            error={errors.lines?.message}
          >
            <Textarea rows={6} spellCheck={false} className="font-mono text-xs" {...form.register("lines")} />
          </Field>
          <FormError>{errors.root?.message}</FormError>
        </form>
      </Dialog>
    </FormProvider>
  );
}
