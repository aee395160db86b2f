"use client";
import { Slot } from "radix-ui";
import { type ReactNode, useId } from "react";
import { cn } from "@/components/ui/cn";
import { Label } from "@/components/ui/label";

export type FieldProps = {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  /** What is wrong and what would be right; undefined when nothing is. */
  readonly error?: string | undefined;
  readonly optional?: boolean;
  readonly className?: string | undefined;
  /** Exactly one control; it receives id, aria-describedby and aria-invalid. */
  readonly children: ReactNode;
};

/** Label, control, hint and error, tied together for eyes and for screen readers. */
export function Field({ label, hint, error, optional, className, children }: FieldProps) {
  const id = useId();
  const described = [hint ? `${id}-hint` : null, error ? `${id}-error` : null].filter((part) => part !== null);
  return (
    <div className={cn("flex min-w-0 flex-col gap-1", className)}>
      <Label htmlFor={id}>
        {label}
        {optional ? <span className="font-normal text-muted"> (optional)</span> : null}
      </Label>
      <Slot.Root
        id={id}
        {...(described.length > 0 ? { "aria-describedby": described.join(" ") } : {})}
        {...(error ? { "aria-invalid": true } : {})}
      >
        {children}
      </Slot.Root>
      {hint ? (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      ) : null}
      {error ? (
        <p id={`${id}-error`} role="alert" className="text-xs text-bad">
          {error}
        </p>
      ) : null}
    </div>
  );
}
