"use client";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Combobox } from "@/components/ui/combobox";
import { EmptyState } from "@/components/ui/empty-state";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Section } from "@/components/ui/section";
import { problemText } from "@/lib/client/form-issues";
import { tryTool } from "@/lib/client/servers";
import { UNMAPPED_PERMISSION } from "@/lib/core/permission";
import type { ServerDetail, ServerToolView } from "@/lib/servers/schemas";
import { ToolArguments } from "./tool-arguments";
import { TryResult } from "./try-result";

/** One real call as oneself, on the same road as an agent's: decided, recorded, answered. */
export function TryTool({ tenant, server }: { readonly tenant: string; readonly server: ServerDetail }) {
  const [name, setName] = useState<string | null>(null);
  const tool: ServerToolView | undefined =
    server.tools.find((candidate) => candidate.name === name) ??
    // A first try should not change anything.
    server.tools.find((candidate) => candidate.annotations?.readOnlyHint) ??
    server.tools[0];
  const call = useMutation({
    mutationFn: (input: { tool: string; arguments: Record<string, unknown> }) =>
      tryTool(tenant, { id: server.id, ...input }),
  });
  if (tool === undefined)
    return <EmptyState title="No tools" why="This server offers no tools, so there is nothing to call." />;
  return (
    <Section
      title="Try one call"
      note="A real call as yourself: it is decided, recorded in the trail and answered like an agent's."
    >
      <div className="grid gap-6 lg:grid-cols-2">
        <div className="flex min-w-0 flex-col gap-4">
          <Field label="Tool" hint={`Needs ${tool.permission ?? `${UNMAPPED_PERMISSION} (unmapped)`}.`}>
            <Combobox
              label="Tool"
              options={server.tools.map((option) => ({
                value: option.name,
                label: option.name,
                hint: option.permission ?? "unmapped",
              }))}
              values={[tool.name]}
              onValuesChange={([next]) => {
                setName(next ?? null);
                call.reset();
              }}
            />
          </Field>
          {tool.description ? (
            <p className="line-clamp-6 text-sm whitespace-pre-wrap text-muted">{tool.description}</p>
          ) : null}
          <ToolArguments
            key={tool.name}
            inputSchema={tool.inputSchema}
            pending={call.isPending}
            onCall={(value) => call.mutate({ tool: tool.name, arguments: value })}
          />
        </div>
        <div className="min-w-0" aria-live="polite">
          {call.data ? (
            <TryResult tenant={tenant} call={call.data} />
          ) : call.error ? (
            <FormError>{problemText(call.error)}</FormError>
          ) : (
            <p className="rounded-md border border-dashed border-line px-4 py-10 text-center text-sm text-muted">
              The answer will be here, with its time and its audit entry.
            </p>
          )}
        </div>
      </div>
    </Section>
  );
}
