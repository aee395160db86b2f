"use client";
import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";

export type ErrorStateProps = {
  readonly title?: string;
  /** Any thrown thing; of an API problem the request id and the missing permission are shown. */
  readonly error: unknown;
  readonly onRetry?: (() => void) | undefined;
  /** A better next step than trying again, e.g. clearing what was refused. */
  readonly action?: ReactNode;
};

const textOf = (error: unknown, name: "message" | "requestId" | "missing"): string | null => {
  const value = typeof error === "object" && error !== null ? Reflect.get(error, name) : null;
  return typeof value === "string" && value !== "" ? value : null;
};

/** Asking again helps against trouble on the way or on our side, and against a limit; not against a refusal. */
function isWorthRetrying(error: unknown): boolean {
  const status = typeof error === "object" && error !== null ? Reflect.get(error, "status") : null;
  return typeof status !== "number" || status >= 500 || status === 429;
}

/** What went wrong, in words, with what support needs and a way to try again. */
export function ErrorState({ title = "This could not be loaded", error, onRetry, action }: ErrorStateProps) {
  const requestId = textOf(error, "requestId");
  const missing = textOf(error, "missing");
  return (
    <div role="alert" className="flex flex-col gap-2 rounded-md border border-line bg-bad-soft px-4 py-3 text-sm">
      <p className="flex items-center gap-2 font-semibold text-bad">
        <TriangleAlert aria-hidden className="size-4" />
        {title}
      </p>
      <p>{textOf(error, "message") ?? "The connection broke before an answer came."}</p>
      {missing ? (
        <p>
          You would need the permission <code className="font-mono">{missing}</code>.
        </p>
      ) : null}
      <div className="flex flex-wrap items-center gap-3">
        {action}
        {onRetry && isWorthRetrying(error) ? <Button onClick={onRetry}>Try again</Button> : null}
        {requestId ? (
          <span className="flex items-center gap-1 text-xs text-muted">
            Request <code className="font-mono">{requestId}</code>
            <CopyButton value={requestId} label="Copy request id" />
          </span>
        ) : null}
      </div>
    </div>
  );
}
