"use client";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Textarea } from "@/components/ui/textarea";
import { isApiProblem } from "@/lib/client/api";
import { problemText } from "@/lib/client/form-issues";
import { parseServers } from "@/lib/client/servers";
import type { ParsedServer } from "@/lib/servers/schemas";

const EXAMPLE =
  'https://example.com/mcp   or   npx -y @modelcontextprotocol/server-filesystem /srv/files   or   { "mcpServers": { … } }';

/** A URL, a command or mcpServers JSON; read as soon as it is pasted. */
export function PasteBox({
  tenant,
  onServer,
}: {
  readonly tenant: string;
  readonly onServer: (server: ParsedServer) => void;
}) {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const choose = (server: ParsedServer) => {
    setChosen(server.slug);
    onServer(server);
  };
  const read = useMutation({
    mutationFn: (source: string) => parseServers(tenant, source),
    onSuccess: ([first]) => first && choose(first),
  });
  const problem = read.error
    ? isApiProblem(read.error) && read.error.issues.length > 0
      ? read.error.issues.map((issue) => issue.rule).join(" ")
      : problemText(read.error)
    : null;
  return (
    <div className="flex flex-col gap-3">
      <Field
        label="Paste a URL, a command, or mcpServers JSON"
        hint="Read as soon as you paste. Secrets in it move to the sealed credentials."
      >
        <Textarea
          rows={4}
          spellCheck={false}
          className="font-mono text-xs"
          placeholder={EXAMPLE}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onPaste={(event) => {
            // Only a paste into the empty box is the whole text.
            if (text === "") read.mutate(event.clipboardData.getData("text"));
          }}
        />
      </Field>
      <div>
        <Button pending={read.isPending} disabled={text.trim() === ""} onClick={() => read.mutate(text)}>
          Read it
        </Button>
      </div>
      <FormError>{problem}</FormError>
      {read.data && read.data.length > 1 ? (
        <fieldset className="flex flex-wrap items-center gap-2">
          <legend className="mb-1 text-sm font-medium">
            It names {read.data.length} servers. Register them one by one:
          </legend>
          {read.data.map((server) => (
            <Button
              key={server.slug}
              aria-pressed={chosen === server.slug}
              variant={chosen === server.slug ? "primary" : "secondary"}
              onClick={() => choose(server)}
            >
              {server.name}
            </Button>
          ))}
        </fieldset>
      ) : null}
    </div>
  );
}
