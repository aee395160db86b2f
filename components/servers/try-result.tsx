import Link from "next/link";
import { formatDuration } from "@/components/ui/format";
import { JsonView } from "@/components/ui/json-view";
import { Status } from "@/components/ui/status";
import type { TriedCall } from "@/lib/servers/schemas";

/** The answer of a tried call: outcome, time, entry, content. */
export function TryResult({ tenant, call }: { readonly tenant: string; readonly call: TriedCall }) {
  const denied = call.error?.code === "permission_denied";
  return (
    <div className="flex flex-col gap-3">
      <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm">
        <Status state={call.ok ? "success" : denied ? "denied" : "failure"} className="font-medium" />
        <span className="tabular-nums">{formatDuration(call.latencyMs)}</span>
        <Link
          className="text-accent-text underline underline-offset-2"
          href={`/${tenant}/audit?range=1h&entry=${encodeURIComponent(call.entry)}`}
        >
          Open its audit entry
        </Link>
      </p>
      {call.error ? (
        <p className="rounded-md bg-bad-soft px-3 py-2 text-sm break-words">
          {call.error.message} <code className="font-mono text-xs text-muted">{call.error.code}</code>
        </p>
      ) : null}
      {call.content === null || call.content === undefined ? null : <JsonView value={call.content} label="Answer" />}
    </div>
  );
}
