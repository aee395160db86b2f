import { cn } from "@/components/ui/cn";
import { CopyButton } from "@/components/ui/copy-button";
import { shortenMiddle } from "@/components/ui/format";

export type IdProps = {
  readonly value: string;
  /** What it is, for the copy button: "entry id". */
  readonly label?: string;
  readonly full?: boolean;
  readonly className?: string | undefined;
};

/** An id or hash in mono, shortened in the middle, whole in the tooltip, with a copy button on hover or focus. */
export function Id({ value, label = "id", full, className }: IdProps) {
  return (
    <span className={cn("group/id inline-flex min-w-0 items-center gap-1", className)}>
      <code title={value} className={cn("font-mono text-xs", full && "break-all")}>
        {full ? value : shortenMiddle(value)}
      </code>
      <CopyButton
        value={value}
        label={`Copy ${label}`}
        className="opacity-0 group-hover/id:opacity-100 focus-visible:opacity-100 max-sm:opacity-100"
      />
    </span>
  );
}
