"use client";
import { useQuery } from "@tanstack/react-query";
import { cn } from "@/components/ui/cn";
import { formatPlural } from "@/components/ui/format";
import { openAlertsQuery } from "@/lib/client/alerts";

/** How many alerts fire, beside the word "Alerts"; nothing when none does. */
export function FiringBadge({ tenant, small }: { readonly tenant: string; readonly small: boolean }) {
  const { data } = useQuery(openAlertsQuery(tenant));
  const firing = (data?.items ?? []).filter(({ state }) => state === "firing").length;
  if (firing === 0) return null;
  const shown = data?.nextCursor == null ? String(firing) : `${firing}+`;
  return (
    <span
      className={cn(
        "min-w-5 rounded-full bg-bad-solid px-1 text-center text-xs leading-5 font-medium tabular-nums text-on-accent",
        small ? "absolute -top-1 -right-1 min-w-4 leading-4" : "ml-auto",
      )}
    >
      <span aria-hidden>{shown}</span>
      <span className="sr-only">{formatPlural(firing, "alert fires", "alerts fire")}</span>
    </span>
  );
}
