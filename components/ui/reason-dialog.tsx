"use client";
import { type ReactNode, useState } from "react";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Textarea } from "@/components/ui/textarea";

export type ReasonDialogProps = {
  readonly title: string;
  readonly description: ReactNode;
  /** A verb: "Disable server". */
  readonly action: string;
  readonly danger?: boolean;
  readonly pending: boolean;
  /** Until then it cannot be confirmed, whatever the reason. */
  readonly disabled?: boolean;
  readonly error?: string | null;
  /** What is asked for: "Reason" unless told. */
  readonly label?: string;
  /** The least number of characters; 0 leaves it open. */
  readonly minReason?: number;
  readonly onConfirm: (reason: string) => void;
  readonly onClose: () => void;
  /** Stands before the reason. */
  readonly children?: ReactNode;
};

/** Asks before an act and for the reason that goes into the trail. Mount it to open it. */
export function ReasonDialog({ minReason = 3, label = "Reason", danger = false, ...props }: ReasonDialogProps) {
  const { error, onConfirm, onClose, children, disabled = false, ...rest } = props;
  const [reason, setReason] = useState("");
  return (
    <ConfirmDialog
      {...rest}
      open
      danger={danger}
      onOpenChange={(open) => !open && onClose()}
      disabled={disabled || reason.trim().length < minReason}
      onConfirm={() => onConfirm(reason.trim())}
    >
      {children}
      <Field label={label} optional={minReason === 0} hint="Recorded in the audit trail.">
        <Textarea data-first="" rows={2} value={reason} onChange={(event) => setReason(event.target.value)} />
      </Field>
      <FormError>{error}</FormError>
    </ConfirmDialog>
  );
}
