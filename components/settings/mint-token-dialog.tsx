"use client";
import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Controller, useForm } from "react-hook-form";
import type { z } from "zod";
import { CONSOLE_PERMISSIONS } from "@/components/access/console-permissions";
import { useMe } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import { SecretOnce } from "@/components/ui/secret-once";
import { Select } from "@/components/ui/select";
import { showIssues } from "@/lib/client/form-issues";
import { memberKeys, mintApiToken } from "@/lib/client/members";
import { covers } from "@/lib/core/permission";
import { plainRules } from "@/lib/core/plain-rules";
import { mintApiTokenInput } from "@/lib/members/schemas";

type Values = z.input<typeof mintApiTokenInput>;
const EXPIRY = [30, 90, 365].map((days) => ({ value: String(days), label: days === 365 ? "1 year" : `${days} days` }));

/** Mints an API token with some of one's own permissions and shows its secret, once. */
export function MintTokenDialog({ tenant, onClose }: { readonly tenant: string; readonly onClose: () => void }) {
  const client = useQueryClient();
  const form = useForm<Values>({
    resolver: zodResolver(mintApiTokenInput, plainRules),
    defaultValues: { name: "", scopes: [], expiresInDays: 90 },
  });
  const { errors } = form.formState;
  const mint = useMutation({
    mutationFn: (values: Values) => mintApiToken(tenant, values),
    onSuccess: () => client.invalidateQueries({ queryKey: memberKeys.apiTokens(tenant) }),
    onError: (cause) => showIssues(form.setError, ["name", "scopes", "expiresInDays"], cause),
  });
  if (mint.data)
    return (
      <Dialog
        open
        onOpenChange={(open) => !open && onClose()}
        title="Copy the token now"
        description="It is stored only as a hash, so nobody can show it again."
        footer={
          <Button variant="primary" onClick={onClose}>
            I have stored it
          </Button>
        }
      >
        <SecretOnce secret={mint.data.secret} label="token" />
      </Dialog>
    );
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Mint an API token"
      description="Sent as Authorization: Bearer cst_… to /api/v1."
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" type="submit" form="token-form" pending={mint.isPending}>
            Mint token
          </Button>
        </>
      }
    >
      <form
        id="token-form"
        noValidate
        className="flex flex-col gap-4"
        onSubmit={form.handleSubmit((values) => mint.mutate(values))}
      >
        <Field label="Name" hint="Where it will be used." error={errors.name?.message}>
          <Input autoComplete="off" {...form.register("name")} />
        </Field>
        <Controller
          control={form.control}
          name="scopes"
          render={({ field, fieldState }) => (
            <ScopeChoice value={field.value} onChange={field.onChange} error={fieldState.error?.message} />
          )}
        />
        <Controller
          control={form.control}
          name="expiresInDays"
          render={({ field }) => (
            <Field label="Expires" error={errors.expiresInDays?.message}>
              <Select
                value={String(field.value)}
                onValueChange={(days) => field.onChange(Number(days))}
                options={EXPIRY}
              />
            </Field>
          )}
        />
        <FormError>{errors.root?.message}</FormError>
      </form>
    </Dialog>
  );
}

function ScopeChoice({
  value,
  onChange,
  error,
}: {
  readonly value: readonly string[];
  readonly onChange: (scopes: string[]) => void;
  readonly error: string | undefined;
}) {
  const { permissions } = useMe();
  const held = new Set(permissions);
  const own = permissions.filter((permission) => !permission.startsWith("platform:"));
  const scopes = [...new Set([...CONSOLE_PERMISSIONS.filter((scope) => covers(held, scope)), ...own])];
  return (
    <fieldset className="flex flex-col gap-1">
      <legend className="mb-1 text-sm font-medium">Scopes</legend>
      <div className="grid gap-x-4 sm:grid-cols-2">
        {scopes.map((scope) => (
          <Label key={scope} className="flex items-center gap-1 font-normal">
            <Checkbox
              checked={value.includes(scope)}
              onCheckedChange={(on) =>
                onChange(on === true ? [...value, scope] : value.filter((other) => other !== scope))
              }
            />
            <code className="font-mono text-xs">{scope}</code>
          </Label>
        ))}
      </div>
      {error ? (
        <p role="alert" className="text-xs text-bad">
          {error}
        </p>
      ) : null}
    </fieldset>
  );
}
