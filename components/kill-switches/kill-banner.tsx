"use client";
import { OctagonX } from "lucide-react";
import Link from "next/link";
import { useKillSwitches } from "./use-kill-switches";

const SHOWN = 3;

/** Above every page while anything is stopped, so that nobody looks for a fault where there is none. */
export function KillBanner({ tenant }: { readonly tenant: string }) {
  const { thrown } = useKillSwitches(tenant);
  if (thrown.length === 0) return null;
  const named = thrown
    .slice(0, SHOWN)
    .map(({ kind, target }) => (kind === "tenant" ? "the whole tenant" : `${kind} ${target}`));
  const more = thrown.length - named.length;
  return (
    <section
      aria-label="Kill switches"
      className="flex flex-wrap items-center gap-x-2 gap-y-1 border-b border-line bg-bad-soft px-4 py-1.5 text-xs text-bad sm:px-6"
    >
      <OctagonX aria-hidden className="size-4 shrink-0" />
      <span>
        <strong className="font-semibold">Stopped by kill switch:</strong> {named.join(", ")}
        {more > 0 ? ` and ${more} more` : ""}.
      </span>
      <Link className="underline underline-offset-2" href={`/${tenant}/settings?tab=kill`}>
        Who, when and why
      </Link>
    </section>
  );
}
