"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Controller, type UseFormReturn, useForm, useWatch } from "react-hook-form";
import { METRIC_WORDS } from "@/components/alerts/alert-words";
import { inputOf, issuesOf, type RuleValues, usualLimit, valuesOf } from "@/components/alerts/rule-form";
import { RulePreview } from "@/components/alerts/rule-preview";
import { ruleWords, shareHint } from "@/components/alerts/rule-words";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { type AlertRuleView, METRICS, SEVERITIES } from "@/lib/alerts/schemas";
import { alertKeys, changeAlertRule, createAlertRule } from "@/lib/client/alerts";
import { showIssues } from "@/lib/client/form-issues";
import { serversQuery } from "@/lib/client/servers";

export type RuleDialogProps = {
  readonly tenant: string;
  /** The rule to edit; null makes a new one. */
  readonly edited: AlertRuleView | null;
  readonly onClose: () => void;
};
type Form = UseFormReturn<RuleValues>;

const METRIC_OPTIONS = METRICS.map((value) => ({ value, label: METRIC_WORDS[value] }));
const SEVERITY_OPTIONS = SEVERITIES.map((value) => ({ value, label: value }));

/** Makes or changes a rule; of a built-in one only what it is worth and how long it waits. */
export function RuleDialog({ tenant, edited, onClose }: RuleDialogProps) {
  const form = useForm<RuleValues>({ defaultValues: valuesOf(edited) });
  const save = useSaveRule(tenant, edited, form, onClose);
  const builtIn = edited?.builtIn === true;
  const submit = form.handleSubmit((values) => {
    const issues = Object.entries(builtIn ? {} : issuesOf(values));
    for (const [field, message] of issues) form.setError(field as keyof RuleValues, { message });
    if (issues.length === 0) save.mutate(values);
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={edited ? `Edit ${edited.name}` : "Create a rule"}
      description={
        builtIn
          ? `Built in: fires when ${ruleWords(edited).toLowerCase()}.`
          : "Judged every few seconds, from the stored figures."
      }
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" type="submit" form="rule-form" pending={save.isPending}>
            Save rule
          </Button>
        </>
      }
    >
      <form id="rule-form" className="flex flex-col gap-4" onSubmit={submit} noValidate>
        {builtIn ? null : <Measure tenant={tenant} form={form} />}
        <div className="grid gap-4 sm:grid-cols-2">
          <Chosen form={form} name="severity" label="Severity" options={SEVERITY_OPTIONS} />
          <Field
            label="Hold, minutes"
            hint="How long it must be broken before it fires; 0 fires at once."
            error={form.formState.errors.holdMinutes?.message}
          >
            <Input inputMode="numeric" autoComplete="off" {...form.register("holdMinutes")} />
          </Field>
        </div>
        {builtIn ? null : <Previewed tenant={tenant} form={form} />}
        <FormError>{form.formState.errors.root?.message}</FormError>
      </form>
    </Dialog>
  );
}

const Previewed = ({ tenant, form }: { readonly tenant: string; readonly form: Form }) => (
  <RulePreview tenant={tenant} values={{ ...form.getValues(), ...useWatch({ control: form.control }) }} />
);

function useSaveRule(tenant: string, edited: AlertRuleView | null, form: Form, onClose: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (values: RuleValues) => {
      const input = inputOf(values);
      if (edited === null) return createAlertRule(tenant, input);
      const { severity, holdMinutes } = input;
      const changed = edited.builtIn ? { severity, holdMinutes } : input;
      return changeAlertRule(tenant, { id: edited.id, baseVersion: edited.version, ...changed });
    },
    onSuccess: async (saved) => {
      toast.success(`Rule ${saved.name} saved.`);
      await client.invalidateQueries({ queryKey: alertKeys.all(tenant) });
      onClose();
    },
    onError: (cause) => showIssues(form.setError, Object.keys(form.getValues()), cause),
  });
}

type ChosenProps = {
  readonly form: Form;
  readonly name: "severity" | "metric" | "server";
  readonly label: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly hint?: string;
  readonly onChosen?: (value: string) => void;
};

function Chosen({ form, name, label, options, hint, onChosen }: ChosenProps) {
  return (
    <Controller
      control={form.control}
      name={name}
      render={({ field, fieldState }) => (
        <Field label={label} hint={hint} error={fieldState.error?.message}>
          <Select
            value={field.value}
            onValueChange={(value) => {
              field.onChange(value);
              onChosen?.(value);
            }}
            options={options}
          />
        </Field>
      )}
    />
  );
}

/** What is measured, where, against which limit and over what. */
function Measure({ tenant, form }: { readonly tenant: string; readonly form: Form }) {
  const { errors, dirtyFields } = form.formState;
  const [metric, server] = useWatch({ control: form.control, name: ["metric", "server"] });
  const { data } = useQuery({ ...serversQuery(tenant), enabled: useMay("servers:read") });
  const slugs = new Set([...(data ?? []).map(({ slug }) => slug), ...(server === "" ? [] : [server])]);
  const servers = [
    { value: "", label: "Each server on its own" },
    ...[...slugs].map((slug) => ({ value: slug, label: slug })),
  ];
  const takeUsual = (next: string) => {
    const known = METRICS.find((one) => one === next);
    if (known !== undefined && !dirtyFields.threshold)
      form.resetField("threshold", { defaultValue: usualLimit(known) });
  };
  return (
    <>
      <Field label="Name" error={errors.name?.message}>
        <Input autoComplete="off" {...form.register("name")} />
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Chosen form={form} name="metric" label="Measures" options={METRIC_OPTIONS} onChosen={takeUsual} />
        <Field label="Limit" hint={shareHint(metric)} error={errors.threshold?.message}>
          <Input inputMode="decimal" autoComplete="off" {...form.register("threshold")} />
        </Field>
        <Chosen form={form} name="server" label="Server" options={servers} />
        <Field
          label="Tool"
          optional
          hint="Its name at the server; all its tools together without one."
          error={errors.tool?.message}
        >
          <Input autoComplete="off" spellCheck={false} className="font-mono" {...form.register("tool")} />
        </Field>
        <Field label="Window, minutes" hint="How far back it looks." error={errors.windowMinutes?.message}>
          <Input inputMode="numeric" autoComplete="off" {...form.register("windowMinutes")} />
        </Field>
        <Field label="Least calls" hint="With fewer in the window nothing is judged." error={errors.minCalls?.message}>
          <Input inputMode="numeric" autoComplete="off" {...form.register("minCalls")} />
        </Field>
      </div>
    </>
  );
}
