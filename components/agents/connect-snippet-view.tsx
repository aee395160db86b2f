import { Button } from "@/components/ui/button";
import { CodeBlock } from "@/components/ui/code-block";
import { Note } from "@/components/ui/note";
import type { ConnectSnippet } from "@/lib/agents/connect-snippets";

/** One client's snippet, ready to paste. */
export function ConnectSnippetView({
  snippet,
  keyKnown,
}: {
  readonly snippet: ConnectSnippet;
  readonly keyKnown: boolean;
}) {
  return (
    <div className="flex flex-col gap-3">
      {keyKnown ? null : (
        <Note>The snippet holds a placeholder. Mint a key above and it is filled in, or put in one you stored.</Note>
      )}
      {snippet.parts.map((part) => (
        <CodeBlock
          key={part.label}
          code={part.code}
          label={part.file ? `${part.label}: ${part.file}` : part.label}
          wrap
        />
      ))}
      {snippet.install ? (
        <Button asChild className="self-start">
          <a href={snippet.install.href}>{snippet.install.label}</a>
        </Button>
      ) : null}
      {snippet.traps.length > 0 ? (
        <ul className="list-disc pl-5 text-sm text-muted">
          {snippet.traps.map((trap) => (
            <li key={trap}>{trap}</li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}
