import { ArrowRight, Ban, Check } from "lucide-react";
import Link from "next/link";
import { cn } from "@/components/ui/cn";
import { Status } from "@/components/ui/status";
import type { DecisionTrace, TraceStep } from "@/lib/access/schemas";

const STEP: Readonly<Record<TraceStep["step"], string>> = {
  agent: "Agent",
  tenant: "Tenant",
  server: "Server",
  tool: "Tool",
  mapping: "Mapping",
  roles: "Roles",
  permission: "Permission",
};

/** A decision's steps in order; the first that failed is the reason, and links to what can be changed. */
export function DecisionTraceView({ trace }: { readonly trace: DecisionTrace }) {
  const failing = trace.steps.findIndex((step) => !step.ok);
  return (
    <div className="flex flex-col gap-3">
      <p className="flex flex-wrap items-center gap-2">
        <Status state={trace.allow ? "allowed" : "denied"} className="text-base font-medium" />
        <span>
          Needs <code className="font-mono text-sm">{trace.needed}</code>
          {trace.via.length > 0
            ? `, held by ${trace.via.map((via) => `${via.role} (${via.permission})`).join(", ")}`
            : ""}
          {trace.missing ? ", which is missing" : ""}.
        </span>
      </p>
      <ol aria-label="Decision, step by step" className="rounded-md border border-line">
        {trace.steps.map((step, index) => (
          <li
            key={step.step}
            {...(index === failing ? { "aria-current": "step" as const } : {})}
            className={cn(
              "flex items-start gap-3 border-b border-line px-3 py-2 text-sm last:border-b-0",
              index === failing && "bg-bad-soft",
              failing !== -1 && index > failing && "text-muted",
            )}
          >
            {step.ok ? (
              <Check aria-label="passed" className="mt-0.5 size-4 shrink-0 text-ok" />
            ) : (
              <Ban aria-label="failed" className="mt-0.5 size-4 shrink-0 text-bad" />
            )}
            <span className="w-24 shrink-0 text-muted">{STEP[step.step]}</span>
            <span className="min-w-0 flex-1 break-words">{step.text}</span>
            {step.link ? (
              <Link
                href={step.link}
                className="inline-flex shrink-0 items-center gap-1 text-accent-text underline underline-offset-2"
              >
                {index === failing ? "Change it" : "Open"}
                <ArrowRight aria-hidden className="size-3.5" />
              </Link>
            ) : null}
          </li>
        ))}
      </ol>
      <p className="text-xs text-muted">
        Rule {trace.rule}, map version {trace.mapVersion}. The door decides by the same function.
      </p>
    </div>
  );
}
