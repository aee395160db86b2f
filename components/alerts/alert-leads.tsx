"use client";
import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { entriesHref, figuresHref } from "@/components/alerts/alert-words";
import { useMay } from "@/components/shell/me-context";
import { buttonClass } from "@/components/ui/button";
import type { AlertView } from "@/lib/alerts/schemas";
import { serversQuery } from "@/lib/client/servers";

type Props = { readonly tenant: string; readonly alert: AlertView; readonly look: "link" | "button" };

const LINK = "inline-flex min-h-6 items-center text-accent-text underline underline-offset-2";

/** Where an alert can be looked into: the figures of its server or tool, what is stopped, and the entries of its time. */
export function AlertLeads({ tenant, alert, look }: Props) {
  const maySeeServers = useMay("servers:read");
  const mayReadAudit = useMay("audit:read");
  const servers = useQuery({ ...serversQuery(tenant), enabled: maySeeServers && alert.server !== null });
  const id = servers.data?.find(({ slug }) => slug === alert.server)?.id;
  const leads = [
    id === undefined ? null : { href: figuresHref(tenant, id, alert), text: "Latency and circuit" },
    alert.watch === "kill_switch_used" ? { href: `/${tenant}/settings?tab=kill`, text: "Kill switches" } : null,
    mayReadAudit ? { href: entriesHref(tenant, alert), text: "Entries" } : null,
  ].filter((lead) => lead !== null);
  return leads.map(({ href, text }) => (
    <Link key={text} href={href} className={look === "link" ? LINK : buttonClass()}>
      {text}
      <span className="sr-only">: {alert.reason}</span>
    </Link>
  ));
}
