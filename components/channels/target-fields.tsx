"use client";
import type { ChannelErrors, ChannelValues } from "@/components/channels/channel-form";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Textarea } from "@/components/ui/textarea";
import type { ChannelView } from "@/lib/channels/schemas";

type Props = {
  readonly values: ChannelValues;
  readonly errors: ChannelErrors;
  readonly edited: ChannelView | null;
  readonly onChange: (part: Partial<ChannelValues>) => void;
};

const HINT = {
  webhook: "Called by POST with JSON that is signed. https, unless it is in a range of EGRESS_ALLOW.",
  slack: "The address of an incoming webhook, as Slack, Mattermost and others give it.",
} as const;

/** Where the notices go: an address, which is a secret, or people. */
export function TargetFields({ values, errors, edited, onChange }: Props) {
  if (values.kind === "email") {
    return (
      <Field label="Recipients" hint="One by line, at most 20." error={errors.recipients}>
        <Textarea
          rows={3}
          spellCheck={false}
          value={values.recipients}
          onChange={(event) => onChange({ recipients: event.target.value })}
        />
      </Field>
    );
  }
  const kept = `Stays ${edited?.address ?? ""} unless you type another one.`;
  return (
    <Field
      label="Address"
      optional={edited !== null}
      hint={edited ? kept : `${HINT[values.kind]} It is sealed, and only its host is shown again.`}
      error={errors.url}
    >
      <Input
        type="url"
        autoComplete="off"
        spellCheck={false}
        className="font-mono text-xs"
        placeholder="https://"
        value={values.url}
        onChange={(event) => onChange({ url: event.target.value })}
      />
    </Field>
  );
}
