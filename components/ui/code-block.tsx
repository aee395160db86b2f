import { cn } from "@/components/ui/cn";
import { CopyButton } from "@/components/ui/copy-button";

export type CodeBlockProps = {
  readonly code: string;
  /** Said above the block and to screen readers: "Claude Code", "Raw record". */
  readonly label: string;
  /** Breaks long lines instead of scrolling. */
  readonly wrap?: boolean;
  readonly className?: string | undefined;
};

export function CodeBlock({ code, label, wrap, className }: CodeBlockProps) {
  return (
    <figure className={cn("min-w-0 overflow-hidden rounded-md border border-line bg-surface", className)}>
      <figcaption className="flex h-8 items-center justify-between border-b border-line pr-1 pl-3 text-xs text-muted">
        {label}
        <CopyButton value={code} label={`Copy ${label}`} />
      </figcaption>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        className={cn(
          "max-h-96 overflow-auto p-3 font-mono text-xs focus-visible:-outline-offset-2",
          wrap && "break-all whitespace-pre-wrap",
        )}
      >
        <code>{code}</code>
      </pre>
    </figure>
  );
}
