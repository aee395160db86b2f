"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import type { z } from "zod";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { Textarea } from "@/components/ui/textarea";
import { toast } from "@/components/ui/toast";
import { endPersonSessionsInput } from "@/lib/auth/schemas";
import { showIssues } from "@/lib/client/form-issues";
import { endPersonSessions } from "@/lib/client/session";
import { plainRules } from "@/lib/core/plain-rules";

type Values = z.input<typeof endPersonSessionsInput>;

/** Signs a person out everywhere, by their address. */
export function EndPersonDialog({ onClose }: { readonly onClose: () => void }) {
  const form = useForm<Values>({
    resolver: zodResolver(endPersonSessionsInput, plainRules),
    defaultValues: { email: "", reason: "" },
  });
  const { errors } = form.formState;
  const end = useMutation({
    mutationFn: endPersonSessions,
    onSuccess: ({ ended }, { email }) => {
      toast.success(`${ended === 1 ? "One session" : `${ended} sessions`} of ${email} ended.`);
      onClose();
    },
    onError: (cause) => showIssues(form.setError, ["email", "reason"], cause),
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="End a person's sessions"
      description="In every tenant; each tenant's trail says so. They can sign in again, and their API tokens go on."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="danger" type="submit" form="end-person-form" pending={end.isPending}>
            End all sessions
          </Button>
        </>
      }
    >
      <form
        id="end-person-form"
        noValidate
        className="flex flex-col gap-4"
        onSubmit={form.handleSubmit((values) => end.mutate(values))}
      >
        <Field label="E-mail" error={errors.email?.message}>
          <Input type="email" autoComplete="off" {...form.register("email")} />
        </Field>
        <Field label="Reason" hint="Recorded in the audit trail." error={errors.reason?.message}>
          <Textarea rows={2} {...form.register("reason")} />
        </Field>
        <FormError>{errors.root?.message}</FormError>
      </form>
    </Dialog>
  );
}
