"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Badge, type Tone } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { cn } from "@/components/ui/cn";
import { Note } from "@/components/ui/note";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { Section } from "@/components/ui/section";
import { Time } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";
import { reviewDefinition, serverKeys } from "@/lib/client/servers";
import type { DefinitionField, DefinitionReview, DiffLine, FieldDiff, ServerDetail } from "@/lib/servers/schemas";

type Verdict = "accept" | "reject";
type Waiting = { readonly tool: string; readonly review: DefinitionReview };

const STATE: Readonly<Record<DefinitionReview["state"], { readonly tone: Tone; readonly text: string }>> = {
  held: {
    tone: "warn",
    text: "The server now says something else than was approved. The tool is not called until you decide.",
  },
  new: {
    tone: "info",
    text: "The server offers it since it was last reviewed. Only admins may call it until it is mapped.",
  },
  rejected: { tone: "bad", text: "Rejected. The tool is not called unless the server says again what was approved." },
};
const FIELD: Readonly<Record<DefinitionField, string>> = {
  name: "Name",
  title: "Title",
  description: "Description",
  inputSchema: "Input schema",
  outputSchema: "Output schema",
  annotations: "Annotations",
};

/** Definitions that wait for a person: what differs, what to look at first, and the two answers. */
export function DefinitionReviews({ tenant, server }: { readonly tenant: string; readonly server: ServerDetail }) {
  const waiting = server.tools
    .flatMap(({ name, review }) => (review === null ? [] : [{ tool: name, review }]))
    .sort(pressingFirst);
  if (waiting.length === 0) return null;
  return (
    <Section
      title={`Definitions to review (${waiting.length})`}
      note="What a model reads of a tool decides what it does with it. Compare before you accept."
    >
      <ul className="flex flex-col gap-4">
        {waiting.map((each) => (
          <li key={each.tool}>
            <Review tenant={tenant} server={server} waiting={each} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** What is dangerous must not stand below what is merely new: by the number of warnings, then what is held from calls. */
const pressingFirst = ({ review: a }: Waiting, { review: b }: Waiting): number =>
  b.warnings.length - a.warnings.length || Number(a.state === "new") - Number(b.state === "new");

type ReviewProps = { readonly tenant: string; readonly server: ServerDetail; readonly waiting: Waiting };

function Review({ tenant, server, waiting: { tool, review } }: ReviewProps) {
  const mayWrite = useMay("servers:write");
  // With what was shown when it was asked: the page is read anew behind the dialog.
  const [asking, setAsking] = useState<{ readonly verdict: Verdict; readonly sha256: string } | null>(null);
  const ask = (verdict: Verdict) => setAsking({ verdict, sha256: review.sha256 });
  const { tone, text } = STATE[review.state];
  return (
    <article aria-label={`Review of ${tool}`} className="flex flex-col gap-3 rounded-md border border-line p-3">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="font-mono text-sm font-medium">{tool}</h3>
        <Badge tone={tone}>{review.state}</Badge>
        <span className="text-xs text-muted">
          since <Time iso={review.since} />
        </span>
        {mayWrite ? (
          <span className="ml-auto flex gap-2">
            {review.state === "rejected" ? null : <Button onClick={() => ask("reject")}>Reject</Button>}
            <Button variant="primary" onClick={() => ask("accept")}>
              Accept
            </Button>
          </span>
        ) : null}
      </header>
      <p className="text-sm text-muted">{text}</p>
      {review.warnings.length > 0 ? (
        <Note tone="warn">
          <ul className="list-disc pl-4">
            {review.warnings.map((warning) => (
              <li key={warning.text} className="break-words">
                {warning.text}
              </li>
            ))}
          </ul>
        </Note>
      ) : null}
      {review.diff.map((field) => (
        <FieldView key={field.field} diff={field} />
      ))}
      {review.diff.length === 0 ? (
        <p className="text-sm">The digest differs, in a part of the definition that is not passed on to agents.</p>
      ) : null}
      {asking ? (
        <Verdict tenant={tenant} server={server} tool={tool} {...asking} onClose={() => setAsking(null)} />
      ) : null}
    </article>
  );
}

const LINE: Readonly<
  Record<DiffLine["kind"], { readonly sign: string; readonly word: string; readonly look: string }>
> = {
  same: { sign: " ", word: "", look: "text-muted" },
  removed: { sign: "-", word: "removed: ", look: "bg-bad-soft text-bad" },
  added: { sign: "+", word: "added: ", look: "bg-ok-soft text-ok" },
};

function FieldView({ diff }: { readonly diff: FieldDiff }) {
  return (
    <div>
      <h4 className="mb-1 text-xs font-medium text-muted">{FIELD[diff.field]}</h4>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        className="max-h-80 overflow-auto rounded-md border border-line py-1 font-mono text-xs leading-5"
      >
        {diff.lines.map((line, index) => {
          const { sign, word, look } = LINE[line.kind];
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines repeat and never move
            <div key={index} className={cn("px-2 whitespace-pre-wrap break-words", look)}>
              <span aria-hidden>{sign} </span>
              {word === "" ? null : <span className="sr-only">{word}</span>}
              {line.text}
            </div>
          );
        })}
      </pre>
    </div>
  );
}

const ASK: Readonly<Record<Verdict, { readonly title: string; readonly action: string; readonly text: string }>> = {
  accept: {
    title: "Accept the definition of",
    action: "Accept definition",
    text: "Agents read this definition from now on, and the tool is called again by whoever may call it.",
  },
  reject: {
    title: "Reject the definition of",
    action: "Reject definition",
    text: "The tool is not called, by admins neither, until its server says again what was approved or you accept it after all.",
  },
};

type VerdictProps = Omit<ReviewProps, "waiting"> & {
  readonly tool: string;
  readonly verdict: Verdict;
  readonly sha256: string;
  readonly onClose: () => void;
};

function Verdict({ tenant, server, tool, verdict, sha256, onClose }: VerdictProps) {
  const client = useQueryClient();
  const answer = useMutation({
    mutationFn: (reason: string) => reviewDefinition(tenant, verdict, { id: server.id, tool, sha256, reason }),
    onSuccess: async () => {
      toast.success(`The definition of ${tool} is ${verdict}ed.`);
      onClose();
      await client.invalidateQueries({ queryKey: serverKeys.all(tenant) });
    },
    // Another change came in between: what is shown is no longer what waits.
    onError: () => client.invalidateQueries({ queryKey: serverKeys.detail(tenant, server.id) }),
  });
  const { title, action, text } = ASK[verdict];
  return (
    <ReasonDialog
      title={`${title} ${tool}`}
      description={text}
      action={action}
      danger={verdict === "reject"}
      pending={answer.isPending}
      error={answer.error ? problemText(answer.error) : null}
      onConfirm={(reason) => answer.mutate(reason)}
      onClose={onClose}
    />
  );
}

/** A few words for the list of servers; nothing where nothing waits. */
export function ReviewBadge({ held, added }: { readonly held: number; readonly added: number }) {
  return (
    <>
      {held > 0 ? (
        <Badge tone="warn" glyph={<TriangleAlert aria-hidden />}>
          {held} held
        </Badge>
      ) : null}
      {added > 0 ? <Badge tone="info">{added} new</Badge> : null}
    </>
  );
}
