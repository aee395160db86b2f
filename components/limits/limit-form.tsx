"use client";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";

const MAX = 100_000;

type Props = {
  readonly label: string;
  readonly hint: string;
  /** What is set now; null follows what stands above it. */
  readonly value: number | null;
  readonly mayWrite: boolean;
  readonly pending: boolean;
  readonly error: string | null;
  readonly onSave: (perSecond: number | null, reason: string) => void;
};

/** One limit in calls per second; empty takes it away. Mount it anew when the stored value changes. */
export function LimitForm({ label, hint, value, mayWrite, pending, error, onSave }: Props) {
  const [text, setText] = useState(value === null ? "" : String(value));
  const [reason, setReason] = useState("");
  const wanted = text.trim() === "" ? null : Number(text);
  const sound = wanted === null || (Number.isInteger(wanted) && wanted >= 1 && wanted <= MAX);
  const ready = sound && wanted !== value && reason.trim().length >= 3;
  return (
    <form
      noValidate
      className="flex max-w-3xl flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) onSave(wanted, reason.trim());
      }}
    >
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label={label} hint={hint} error={sound ? undefined : `A whole number from 1 to ${MAX}, or empty.`}>
          <Input
            inputMode="numeric"
            disabled={!mayWrite}
            placeholder={value === null ? "not set" : undefined}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </Field>
        {mayWrite ? (
          <Field label="Reason" hint="Recorded in the audit trail.">
            <Input value={reason} onChange={(event) => setReason(event.target.value)} />
          </Field>
        ) : null}
      </div>
      {mayWrite ? (
        <>
          <FormError>{error}</FormError>
          <div>
            <Button type="submit" disabled={!ready} pending={pending}>
              Save limit
            </Button>
          </div>
        </>
      ) : null}
    </form>
  );
}
