import Link from "next/link";
import type { AttentionItem } from "@/components/overview/attention";
import { Status } from "@/components/ui/status";
import { queryString } from "@/lib/client/api";
import type { OverviewRange } from "@/lib/metrics/schemas";

type Props = {
  readonly tenant: string;
  readonly range: OverviewRange;
  readonly items: readonly AttentionItem[];
  readonly mayReadAudit: boolean;
  /** Whether the health of servers was looked at too. */
  readonly sawServers: boolean;
};

/** What needs a person, worst first; each line leads to the entries behind it. */
export function AttentionList({ tenant, range, items, mayReadAudit, sawServers }: Props) {
  return (
    <section aria-labelledby="attention" className="flex flex-col gap-2">
      <h2 id="attention" className="text-base font-semibold">
        Needs attention
      </h2>
      {items.length === 0 ? (
        <p className="rounded-md border border-line px-3 py-2 text-sm">
          <Status state="success">
            Nothing: {sawServers ? "servers answer, " : ""}circuits are closed, no outcome is unknown.
          </Status>
        </p>
      ) : (
        <ul className="divide-y divide-line rounded-md border border-line">
          {items.map((item) => (
            <li key={item.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-1.5 text-sm">
              <Status state={item.state} className="w-24" />
              <span className="min-w-0 flex-1 basis-60">
                <strong className="font-semibold">{item.subject}</strong> {item.text}
              </span>
              <Leads tenant={tenant} range={range} item={item} mayReadAudit={mayReadAudit} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

type LeadsProps = Pick<Props, "tenant" | "range" | "mayReadAudit"> & { readonly item: AttentionItem };

function Leads({ tenant, range, item: { leads, subject }, mayReadAudit }: LeadsProps) {
  if (leads.to === "entries" && !mayReadAudit) return null;
  const href =
    leads.to === "entries"
      ? `/${tenant}/audit${queryString({ range, ...leads.filter })}`
      : `/${tenant}/servers/${leads.id}?tab=${leads.tab}`;
  const verb = leads.to === "entries" ? "Show entries" : leads.tab === "tools" ? "Review" : "Open server";
  return (
    <Link href={href} className="inline-flex min-h-6 items-center text-accent-text underline underline-offset-2">
      {verb}
      <span className="sr-only"> of {subject}</span>
    </Link>
  );
}
