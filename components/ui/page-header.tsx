import type { ReactNode } from "react";

export type PageHeaderProps = {
  readonly title: ReactNode;
  /** One line: what this page is for. */
  readonly purpose: ReactNode;
  /** Primary action at the right, others before it. */
  readonly actions?: ReactNode;
};

export function PageHeader({ title, purpose, actions }: PageHeaderProps) {
  return (
    <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-lg font-semibold break-words">{title}</h1>
        <p className="text-sm text-muted">{purpose}</p>
      </div>
      {actions ? <div className="flex flex-wrap items-center gap-2">{actions}</div> : null}
    </header>
  );
}
