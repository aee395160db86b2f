"use client";
import { Controller, type UseFormReturn, useWatch } from "react-hook-form";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { Textarea } from "@/components/ui/textarea";
import type { RegisterServerInput } from "@/lib/servers/schemas";
import { RESIDENCIES } from "@/lib/tenants/schemas";
import { fromLines, showCommand, toLines } from "./command-line";
import { keptOpenWords } from "./kept-open";
import { SecretRows } from "./secret-rows";
import { ZoneChoice } from "./zone-choice";

export type ServerForm = UseFormReturn<RegisterServerInput>;
export const SERVER_FIELDS = [
  "slug",
  "name",
  "description",
  "endpoint",
  "credential",
  "zones",
  "residency",
  "deadlineMs",
  "poolSize",
] as const;
const RESIDENCY_OPTIONS = [
  { value: "", label: "The tenant's" },
  ...RESIDENCIES.map((value) => ({ value, label: value.toUpperCase() })),
];

/** What the paste meant, to correct and complete. Field names are those of the API, so its issues land here. */
export function ServerFormFields({ form }: { readonly form: ServerForm }) {
  const { errors } = form.formState;
  return (
    <div className="flex flex-col gap-4">
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Name" error={errors.name?.message}>
          <Input autoComplete="off" {...form.register("name")} />
        </Field>
        <Field
          label="Slug"
          hint="Agents see its tools as slug__tool. Cannot be changed later."
          error={errors.slug?.message}
        >
          <Input autoComplete="off" spellCheck={false} className="font-mono" {...form.register("slug")} />
        </Field>
      </div>
      <EndpointFields form={form} />
      <div className="grid gap-4 sm:grid-cols-2">
        <Controller
          control={form.control}
          name="zones"
          render={({ field }) => <ZoneChoice value={field.value ?? []} onChange={field.onChange} />}
        />
        <Controller
          control={form.control}
          name="residency"
          render={({ field, fieldState }) => (
            <Field label="Residency" hint="Where this server keeps data." error={fieldState.error?.message}>
              <Select value={field.value ?? ""} onValueChange={field.onChange} options={RESIDENCY_OPTIONS} />
            </Field>
          )}
        />
        <Field
          label="Deadline, ms"
          hint="How long the server has for a call. Waiting for a place comes on top, at most as long again."
          error={errors.deadlineMs?.message}
        >
          <Input type="number" min={100} step={100} {...form.register("deadlineMs", { valueAsNumber: true })} />
        </Field>
        <KeptOpenField form={form} />
      </div>
      <FormError>{errors.root?.message}</FormError>
    </div>
  );
}

function KeptOpenField({ form }: { readonly form: ServerForm }) {
  const transport = useWatch({ control: form.control, name: "endpoint.transport" });
  return (
    <Field {...keptOpenWords(transport)} error={form.formState.errors.poolSize?.message}>
      <Input type="number" min={1} max={256} {...form.register("poolSize", { valueAsNumber: true })} />
    </Field>
  );
}

function EndpointFields({ form }: { readonly form: ServerForm }) {
  const endpoint = useWatch({ control: form.control, name: "endpoint" });
  const stdio = endpoint.transport === "stdio";
  return (
    <fieldset className="flex flex-col gap-4 rounded-md border border-line p-3">
      <legend className="px-1 text-sm font-medium">{stdio ? "Command (stdio)" : "Address"}</legend>
      {stdio ? (
        <CommandFields form={form} command={showCommand(endpoint.command, endpoint.args ?? [])} />
      ) : (
        <AddressFields form={form} />
      )}
      <Controller
        control={form.control}
        name="credential"
        render={({ field, fieldState }) => (
          <div className="flex flex-col gap-1">
            <p className="text-sm font-medium">
              Credentials <span className="font-normal text-muted">(optional)</span>
            </p>
            <p className="text-xs text-muted">
              {stdio ? "Environment variables" : "Request headers"} with secrets. Sealed at once and never shown again.
            </p>
            <SecretRows
              value={field.value}
              onChange={field.onChange}
              noun={stdio ? "secret variable" : "header"}
              namePlaceholder={stdio ? "API_KEY" : "Authorization"}
              secret
            />
            {fieldState.error ? (
              <p role="alert" className="text-xs text-bad">
                {fieldState.error.message ?? "A name or value here is not acceptable."}
              </p>
            ) : null}
          </div>
        )}
      />
    </fieldset>
  );
}

const endpointErrors = (form: ServerForm): Partial<Record<"url" | "command" | "args" | "env", { message?: string }>> =>
  (form.formState.errors.endpoint ?? {}) as Partial<Record<"url" | "command" | "args" | "env", { message?: string }>>;

const TRANSPORT_OPTIONS = [
  { value: "http", label: "Streamable HTTP" },
  { value: "sse", label: "SSE (2024-11-05)" },
  { value: "websocket", label: "WebSocket" },
];

function AddressFields({ form }: { readonly form: ServerForm }) {
  return (
    <div className="grid gap-4 sm:grid-cols-[1fr_12rem]">
      <Field label="URL" error={endpointErrors(form).url?.message}>
        <Input type="url" spellCheck={false} className="font-mono" {...form.register("endpoint.url")} />
      </Field>
      <Controller
        control={form.control}
        name="endpoint.transport"
        render={({ field }) => (
          <Field label="Transport">
            <Select value={field.value} onValueChange={field.onChange} options={TRANSPORT_OPTIONS} />
          </Field>
        )}
      />
    </div>
  );
}

function CommandFields({ form, command }: { readonly form: ServerForm; readonly command: string }) {
  const errors = endpointErrors(form);
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Command" hint="Started without a shell; must be allow-listed." error={errors.command?.message}>
          <Input spellCheck={false} autoComplete="off" className="font-mono" {...form.register("endpoint.command")} />
        </Field>
        <Controller
          control={form.control}
          name="endpoint.args"
          render={({ field }) => (
            <Field label="Arguments" hint="One per line." error={errors.args?.message}>
              <Textarea
                rows={4}
                spellCheck={false}
                className="font-mono text-xs"
                value={toLines(field.value ?? [])}
                onChange={(event) => field.onChange(fromLines(event.target.value))}
              />
            </Field>
          )}
        />
      </div>
      <p className="text-xs text-muted">
        Exact command: <code className="font-mono break-all text-text">{command}</code>
      </p>
      <Controller
        control={form.control}
        name="endpoint.env"
        render={({ field }) => (
          <div className="flex flex-col gap-1">
            <p className="text-sm font-medium">
              Environment <span className="font-normal text-muted">(optional, not secret)</span>
            </p>
            <SecretRows
              value={field.value}
              onChange={(env) => field.onChange(env ?? {})}
              noun="variable"
              namePlaceholder="LOG_LEVEL"
              secret={false}
            />
          </div>
        )}
      />
    </>
  );
}
