import { X } from "lucide-react";
import { Button } from "@/components/ui/button";
import { formatCount, formatDuration, formatPlural } from "@/components/ui/format";
import { Id } from "@/components/ui/id";
import { onPlainClick } from "@/components/ui/plain-click";
import { Status } from "@/components/ui/status";
import type { VerifyReport } from "@/lib/audit/schemas";

type Props = {
  readonly report: VerifyReport;
  readonly hrefOf: (id: string) => string;
  readonly onOpen: (id: string) => void;
  readonly onDismiss: () => void;
};

function Broken({ report, hrefOf, onOpen }: Omit<Props, "onDismiss">) {
  const { firstBreak } = report;
  if (firstBreak === null) return null;
  const { id } = firstBreak;
  return (
    <p>
      The first break is at entry #{formatCount(firstBreak.seq)}: {firstBreak.problem}.{" "}
      {id === null ? (
        "That entry is missing."
      ) : (
        <a
          href={hrefOf(id)}
          onClick={onPlainClick(() => onOpen(id))}
          className="text-accent-text underline underline-offset-2"
        >
          Open entry #{formatCount(firstBreak.seq)}
        </a>
      )}
    </p>
  );
}

/** What walking the whole chain found. */
export function VerifyPanel({ report, hrefOf, onOpen, onDismiss }: Props) {
  const open = report.openIntents + report.unknownOutcomes;
  return (
    <section
      aria-label="Result of the verification"
      role="status"
      className="flex items-start justify-between gap-4 rounded-md border border-line bg-surface px-4 py-3 text-sm"
    >
      <div className="flex min-w-0 flex-col gap-1">
        <p className="font-semibold">
          {report.valid ? (
            <Status state="success">The chain is valid</Status>
          ) : (
            <Status state="failure">The chain is broken</Status>
          )}
        </p>
        <p>
          {formatPlural(report.entries, "entry", "entries")}, #{formatCount(report.fromSeq)} to #
          {formatCount(report.toSeq)}, checked in {formatDuration(report.tookMs)}.
        </p>
        <Broken report={report} hrefOf={hrefOf} onOpen={onOpen} />
        <p className="flex items-center gap-1">
          <span className="text-muted">Head</span> <Id value={report.head} label="head hash" full />
        </p>
        {report.valid ? (
          <p className="text-muted">
            Every entry agrees with its hash and follows the one before. Only a head that you noted elsewhere can show
            that nobody who rules the whole database has made the chain anew, or cut its end: check an export against it
            with <code className="font-mono text-xs">cs audit verify --expect-head</code>.
          </p>
        ) : null}
        {open > 0 ? (
          <p className="text-muted">
            {formatPlural(report.openIntents, "call", "calls")} still open, {formatCount(report.unknownOutcomes)} with
            unknown outcome.
          </p>
        ) : null}
      </div>
      <Button variant="ghost" size="icon-sm" aria-label="Dismiss the result" onClick={onDismiss}>
        <X aria-hidden />
      </Button>
    </section>
  );
}
