import type { ReactNode } from "react";

export type EmptyStateProps = {
  /** What will be here. */
  readonly title: string;
  /** Why it is empty: no data, no match, no right, not recorded. */
  readonly why: ReactNode;
  /** The one next step: a button or a link. */
  readonly action?: ReactNode;
};

export function EmptyState({ title, why, action }: EmptyStateProps) {
  return (
    <div className="flex flex-col items-center gap-2 rounded-md border border-dashed border-line px-4 py-12 text-center">
      <p className="font-semibold">{title}</p>
      <div className="max-w-[60ch] text-sm text-muted">{why}</div>
      {action ? <div className="mt-2">{action}</div> : null}
    </div>
  );
}
