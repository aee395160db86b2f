import Link from "next/link";
import { OpenAlerts } from "@/components/alerts/open-alerts";
import type { AttentionItem } from "@/components/overview/attention";
import { trailHref } from "@/components/overview/overview-links";
import { Status } from "@/components/ui/status";
import type { AlertView } from "@/lib/alerts/schemas";
import type { MetricsWindow } from "@/lib/client/metrics";

type Props = {
  readonly tenant: string;
  readonly window: MetricsWindow;
  readonly alerts: readonly AlertView[];
  readonly items: readonly AttentionItem[];
  readonly mayReadAudit: boolean;
  /** Whether the health of servers was looked at too. */
  readonly sawServers: boolean;
};

/** What needs a person: open alerts first, then the rest, worst first; each line leads to what is behind it. */
export function AttentionList({ tenant, window, alerts, items, mayReadAudit, sawServers }: Props) {
  return (
    <section aria-labelledby="attention" className="flex flex-col gap-2">
      <h2 id="attention" className="text-base font-semibold">
        Needs attention
      </h2>
      {items.length + alerts.length === 0 ? (
        <p className="rounded-md border border-line px-3 py-2 text-sm">
          <Status state="success">
            Nothing: {sawServers ? "servers answer, " : ""}circuits are closed, no outcome is unknown.
          </Status>
        </p>
      ) : (
        <ul className="divide-y divide-line rounded-md border border-line">
          <OpenAlerts tenant={tenant} alerts={alerts} />
          {items.map((item) => (
            <li key={item.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-1.5 text-sm">
              <Status state={item.state} className="w-24" />
              <span className="min-w-0 flex-1 basis-60">
                <strong className="font-semibold">{item.subject}</strong> {item.text}
              </span>
              <Leads tenant={tenant} window={window} item={item} mayReadAudit={mayReadAudit} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

type LeadsProps = Pick<Props, "tenant" | "window" | "mayReadAudit"> & { readonly item: AttentionItem };

function Leads({ tenant, window, item: { leads, subject }, mayReadAudit }: LeadsProps) {
  if (leads.to === "entries" && !mayReadAudit) return null;
  const href =
    leads.to === "entries"
      ? trailHref(tenant, window, leads.filter)
      : `/${tenant}/servers/${leads.id}?tab=${leads.tab}`;
  const verb = leads.to === "entries" ? "Show entries" : leads.tab === "tools" ? "Review" : "Open server";
  return (
    <Link href={href} className="inline-flex min-h-6 items-center text-accent-text underline underline-offset-2">
      {verb}
      <span className="sr-only"> of {subject}</span>
    </Link>
  );
}
