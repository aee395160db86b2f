"use client";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { FormError } from "@/components/ui/form-error";
import { Tabs } from "@/components/ui/tabs";
import { Textarea } from "@/components/ui/textarea";
import { type ArgumentProblems, checkArguments } from "./check-arguments";
import { initialArguments, parseArguments, toFields } from "./schema-fields";
import { SchemaForm } from "./schema-form";

export type ToolArgumentsProps = {
  readonly inputSchema: unknown;
  readonly pending: boolean;
  readonly onCall: (value: Record<string, unknown>) => void;
};

/** Arguments as a form and as raw JSON: two views of one text, so neither loses what the other wrote. */
export function ToolArguments({ inputSchema, pending, onCall }: ToolArgumentsProps) {
  const fields = toFields(inputSchema);
  const [tab, setTab] = useState("form");
  const [source, setSource] = useState(() => JSON.stringify(initialArguments(fields), null, 2));
  const [problems, setProblems] = useState<ArgumentProblems>({});
  const parsed = parseArguments(source);
  const write = (next: string) => {
    setSource(next);
    setProblems({});
  };
  const submit = () => {
    if (!parsed.ok) return;
    const found = checkArguments(inputSchema, parsed.value);
    setProblems(found);
    if (Object.keys(found).length === 0) onCall(parsed.value);
  };
  const inForm = new Set(fields.map((field) => field.key));
  const elsewhere = Object.entries(problems).filter(([path]) => tab === "raw" || !inForm.has(path.split(".")[0] ?? ""));
  return (
    <form
      noValidate
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Tabs
        label="Arguments"
        value={tab}
        onValueChange={setTab}
        items={[
          {
            value: "form",
            label: "Form",
            content: parsed.ok ? (
              fields.length === 0 ? (
                <p className="text-sm text-muted">This tool takes no arguments.</p>
              ) : (
                <SchemaForm
                  fields={fields}
                  value={parsed.value}
                  problems={problems}
                  onChange={(next) => write(JSON.stringify(next, null, 2))}
                />
              )
            ) : (
              <FormError>{parsed.problem} Correct it on the raw tab.</FormError>
            ),
          },
          {
            value: "raw",
            label: "Raw JSON",
            content: (
              <Textarea
                aria-label="Arguments as JSON"
                rows={12}
                spellCheck={false}
                className="font-mono text-xs"
                value={source}
                aria-invalid={!parsed.ok}
                onChange={(event) => write(event.target.value)}
              />
            ),
          },
        ]}
      />
      {parsed.ok || tab === "form" ? null : <FormError>{parsed.problem}</FormError>}
      <FormError>
        {elsewhere.length > 0 ? elsewhere.map(([path, rule]) => `${path || "The arguments"}: ${rule}`).join(" ") : null}
      </FormError>
      <Button type="submit" variant="primary" className="self-start" pending={pending} disabled={!parsed.ok}>
        Call the tool
      </Button>
    </form>
  );
}
