"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { KIND_WORDS } from "@/components/channels/channel-words";
import { SecretDialog } from "@/components/channels/secret-dialog";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { CHANNEL_KINDS, type ChannelView, type ChannelWithSecret, type NoticeSeverity } from "@/lib/channels/schemas";
import { isApiProblem } from "@/lib/client/api";
import { changeChannel, channelKeys, createChannel } from "@/lib/client/channels";
import { problemText } from "@/lib/client/form-issues";
import { type ChannelErrors, checkValues, errorsOf, toChangeInput, toCreateInput, valuesOf } from "./channel-form";
import { EventChoice } from "./event-choice";
import { TargetFields } from "./target-fields";

const SEVERITIES = [
  { value: "warning", label: "Every severity" },
  { value: "critical", label: "Critical only" },
] as const;

export type ChannelDialogProps = {
  readonly tenant: string;
  /** The channel to edit; null makes a new one. */
  readonly edited: ChannelView | null;
  readonly missingForEmail: readonly string[];
  readonly onClose: () => void;
};

/** Creates or edits a channel. A new webhook's signing secret is shown right after, once. */
export function ChannelDialog({ tenant, edited, missingForEmail, onClose }: ChannelDialogProps) {
  const client = useQueryClient();
  const [values, setValues] = useState(() => valuesOf(edited));
  const [errors, setErrors] = useState<ChannelErrors>({});
  const [foot, setFoot] = useState<string | null>(null);
  const [created, setCreated] = useState<ChannelWithSecret | null>(null);
  const save = useMutation({
    mutationFn: async (): Promise<ChannelView | ChannelWithSecret> =>
      edited ? changeChannel(tenant, toChangeInput(values, edited)) : createChannel(tenant, toCreateInput(values)),
    onSuccess: async (saved) => {
      await client.invalidateQueries({ queryKey: channelKeys.all(tenant) });
      if ("secret" in saved && saved.secret !== null) return setCreated(saved);
      toast.success(`Channel ${saved.name} saved.`);
      onClose();
    },
    onError: (cause) => {
      const placed = isApiProblem(cause) ? errorsOf(cause.issues) : {};
      setErrors(placed);
      setFoot(Object.keys(placed).length === 0 ? problemText(cause) : null);
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const found = checkValues(values, edited);
    setErrors(found);
    setFoot(null);
    if (Object.keys(found).length === 0) save.mutate();
  };
  const change = (part: Partial<typeof values>) => setValues((before) => ({ ...before, ...part }));
  if (created !== null) return <SecretDialog channel={created} onClose={onClose} />;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={edited ? `Edit ${edited.name}` : "Create a channel"}
      description="Where people hear of alerts when they do not look at the console."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" type="submit" form="channel-form" pending={save.isPending}>
            Save channel
          </Button>
        </>
      }
    >
      <form id="channel-form" className="flex flex-col gap-4" onSubmit={submit} noValidate>
        <Field label="Name" error={errors.name}>
          <Input autoComplete="off" value={values.name} onChange={(event) => change({ name: event.target.value })} />
        </Field>
        <Field
          label="Kind"
          error={errors.kind}
          hint={
            missingForEmail.length > 0
              ? `E-mail cannot be chosen: ${missingForEmail.join(" and ")} must be set for this installation.`
              : undefined
          }
        >
          <Select
            value={values.kind}
            disabled={edited !== null}
            onValueChange={(kind) => change({ kind: CHANNEL_KINDS.find((known) => known === kind) ?? "webhook" })}
            options={CHANNEL_KINDS.map((kind) => ({
              value: kind,
              label: KIND_WORDS[kind],
              disabled: kind === "email" && missingForEmail.length > 0,
            }))}
          />
        </Field>
        <TargetFields values={values} errors={errors} edited={edited} onChange={change} />
        <Field label="Hears of" error={errors.minSeverity}>
          <Select
            value={values.minSeverity}
            onValueChange={(next) => change({ minSeverity: next as NoticeSeverity })}
            options={SEVERITIES}
          />
        </Field>
        <EventChoice value={values.events} error={errors.events} onChange={(events) => change({ events })} />
        <FormError>{foot}</FormError>
      </form>
    </Dialog>
  );
}
