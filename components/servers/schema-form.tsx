"use client";
import { Plus, X } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Label } from "@/components/ui/label";
import { Select } from "@/components/ui/select";
import { Textarea } from "@/components/ui/textarea";
import type { ArgumentProblems } from "./check-arguments";
import { JsonField } from "./json-field";
import { initialValue, type SchemaField, setKey } from "./schema-fields";

type Arguments = Readonly<Record<string, unknown>>;
export type SchemaFormProps = {
  readonly fields: readonly SchemaField[];
  readonly value: Arguments;
  readonly onChange: (value: Record<string, unknown>) => void;
  readonly problems: ArgumentProblems;
  /** Dotted path of the object these fields belong to. */
  readonly path?: string;
};

/** A form for a JSON Schema object. */
export function SchemaForm({ fields, value, onChange, problems, path = "" }: SchemaFormProps) {
  return (
    <div className="flex flex-col gap-3">
      {fields.map((field) => (
        <SchemaFieldView
          key={field.key}
          field={field}
          path={path === "" ? field.key : `${path}.${field.key}`}
          value={value[field.key]}
          problems={problems}
          onChange={(next) => onChange(setKey(value, field, next))}
        />
      ))}
    </div>
  );
}

type FieldViewProps = {
  readonly field: SchemaField;
  readonly path: string;
  readonly value: unknown;
  readonly problems: ArgumentProblems;
  readonly onChange: (value: unknown) => void;
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function SchemaFieldView(props: FieldViewProps) {
  const { field, value, onChange, path, problems } = props;
  if (field.kind === "object")
    return (
      <fieldset className="rounded-md border border-line p-3">
        <legend className="px-1 text-sm font-medium">{field.label}</legend>
        {field.description ? <p className="mb-2 text-xs text-muted">{field.description}</p> : null}
        <SchemaForm
          fields={field.fields}
          value={isRecord(value) ? value : {}}
          onChange={onChange}
          problems={problems}
          path={path}
        />
      </fieldset>
    );
  if (field.kind === "array") return <ArrayField {...props} item={field.item} />;
  if (field.kind === "boolean")
    return (
      <div>
        <Label className="flex items-center gap-1">
          <Checkbox checked={value === true} onCheckedChange={(on) => onChange(on === true)} />
          {field.label}
        </Label>
        {field.description ? <p className="pl-7 text-xs text-muted">{field.description}</p> : null}
      </div>
    );
  return (
    <Field label={field.label} hint={field.description || undefined} optional={!field.required} error={problems[path]}>
      {plainControl(field, value, onChange)}
    </Field>
  );
}

function plainControl(field: SchemaField, value: unknown, onChange: (value: unknown) => void) {
  switch (field.kind) {
    case "enum":
      return (
        <Select
          value={value === undefined ? "" : JSON.stringify(value)}
          placeholder="Choose"
          onValueChange={(chosen) => onChange(chosen === "" ? undefined : JSON.parse(chosen))}
          options={[
            ...(field.required ? [] : [{ value: "", label: "Leave out" }]),
            ...field.options.map((option) => ({
              value: JSON.stringify(option),
              label: typeof option === "string" ? option : JSON.stringify(option),
            })),
          ]}
        />
      );
    case "number":
      return (
        <Input
          type="number"
          step={field.integer ? 1 : "any"}
          min={field.min ?? undefined}
          max={field.max ?? undefined}
          value={typeof value === "number" ? value : ""}
          onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.valueAsNumber)}
        />
      );
    case "string": {
      const text = typeof value === "string" ? value : "";
      const write = (event: { target: { value: string } }) => onChange(event.target.value);
      return field.multiline ? (
        <Textarea value={text} onChange={write} />
      ) : (
        <Input value={text} onChange={write} spellCheck={false} />
      );
    }
    default:
      return <JsonField value={value} onChange={onChange} />;
  }
}

function ArrayField({ field, item, path, value, problems, onChange }: FieldViewProps & { readonly item: SchemaField }) {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  const replace = (at: number, next: unknown) => onChange(items.map((old, index) => (index === at ? next : old)));
  return (
    <fieldset className="rounded-md border border-line p-3">
      <legend className="px-1 text-sm font-medium">{field.label}</legend>
      {field.description ? <p className="mb-2 text-xs text-muted">{field.description}</p> : null}
      <div className="flex flex-col gap-2">
        {items.map((part, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a list of plain values has no other identity
          <div key={index} className="flex items-start gap-2">
            <div className="min-w-0 flex-1">
              <SchemaFieldView
                field={{ ...item, label: `${field.label} ${index + 1}` }}
                path={`${path}.${index}`}
                value={part}
                problems={problems}
                onChange={(next) => replace(index, next ?? "")}
              />
            </div>
            <Button
              size="icon-sm"
              variant="ghost"
              aria-label={`Remove ${field.label} ${index + 1}`}
              onClick={() => onChange(items.filter((_, other) => other !== index))}
            >
              <X aria-hidden />
            </Button>
          </div>
        ))}
        <Button size="sm" className="self-start" onClick={() => onChange([...items, initialValue(item) ?? null])}>
          <Plus aria-hidden />
          Add to {field.label}
        </Button>
        {problems[path] ? (
          <p role="alert" className="text-xs text-bad">
            {problems[path]}
          </p>
        ) : null}
      </div>
    </fieldset>
  );
}
