"use client";
import { AlertDialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";

export type ConfirmDialogProps = {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly title: string;
  /** What will happen, and to whom. */
  readonly description: ReactNode;
  /** A verb: "Revoke key". */
  readonly action: string;
  readonly onConfirm: () => void;
  readonly danger?: boolean;
  readonly pending?: boolean;
  readonly disabled?: boolean;
  /** E.g. a reason field. */
  readonly children?: ReactNode;
};

/** A reason that must be given comes before the two buttons; without one the safe button has the focus. */
function startAtField(event: Event): void {
  const dialog = event.currentTarget;
  const field = dialog instanceof HTMLElement ? dialog.querySelector<HTMLElement>("[data-first]") : null;
  if (field === null) return;
  event.preventDefault();
  field.focus();
}

/** Asks before something that cannot be taken back. Stays open while pending; the caller closes it. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  return (
    <Radix.Root open={props.open} onOpenChange={props.onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade-in bg-[#000]/50" />
        <Radix.Content
          onOpenAutoFocus={startAtField}
          className="fixed inset-x-4 top-[15vh] z-50 mx-auto flex max-w-md animate-fade-in flex-col gap-4 rounded-lg border border-line bg-raised p-4 text-text shadow-xl outline-none"
        >
          <div>
            <Radix.Title className="text-base font-semibold">{props.title}</Radix.Title>
            <Radix.Description asChild>
              <div className="mt-1 text-sm text-muted">{props.description}</div>
            </Radix.Description>
          </div>
          {props.children}
          <div className="flex justify-end gap-2">
            <Radix.Cancel asChild>
              <Button>Cancel</Button>
            </Radix.Cancel>
            <Button
              variant={props.danger ? "danger" : "primary"}
              pending={props.pending === true}
              disabled={props.disabled === true}
              onClick={props.onConfirm}
            >
              {props.action}
            </Button>
          </div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
