"use client";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import type { RoleView } from "@/lib/members/schemas";

export type RolesDialogProps = {
  readonly title: string;
  readonly roles: readonly RoleView[];
  readonly held: readonly string[];
  readonly pending: boolean;
  readonly error: string | null;
  readonly onSave: (roles: readonly string[], reason: string) => void;
  readonly onClose: () => void;
};

/** The roles that somebody holds, ticked. */
export function RolesDialog({ title, roles, held, pending, error, onSave, onClose }: RolesDialogProps) {
  const [chosen, setChosen] = useState<readonly string[]>(held);
  const [reason, setReason] = useState("");
  const same = chosen.length === held.length && chosen.every((slug) => held.includes(slug));
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={title}
      description="What the roles hold is added up."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" disabled={same} pending={pending} onClick={() => onSave(chosen, reason.trim())}>
            Save roles
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <fieldset className="flex flex-col gap-2">
          <legend className="sr-only">Roles</legend>
          {roles.map((role) => (
            <Label key={role.slug} className="flex items-start gap-2 font-normal">
              <Checkbox
                checked={chosen.includes(role.slug)}
                onCheckedChange={(on) =>
                  setChosen(on === true ? [...chosen, role.slug] : chosen.filter((slug) => slug !== role.slug))
                }
              />
              <span className="min-w-0 pt-0.5">
                <span className="font-medium">{role.name}</span>{" "}
                <span className="text-xs text-muted">
                  {role.description || role.permissions.join(", ") || "holds nothing yet"}
                </span>
              </span>
            </Label>
          ))}
        </fieldset>
        <Field label="Reason" optional hint="Recorded in the audit trail.">
          <Input value={reason} onChange={(event) => setReason(event.target.value)} />
        </Field>
        <FormError>{error}</FormError>
      </div>
    </Dialog>
  );
}
