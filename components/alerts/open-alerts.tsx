"use client";
import Link from "next/link";
import { AcknowledgeButton } from "@/components/alerts/acknowledge-button";
import { AlertLeads } from "@/components/alerts/alert-leads";
import { Acknowledged, AlertStatus } from "@/components/alerts/alert-status";
import { formatPlural } from "@/components/ui/format";
import { Time } from "@/components/ui/time";
import type { AlertView } from "@/lib/alerts/schemas";

/** More than these are read on their own page. */
const SHOWN = 6;

type Props = { readonly tenant: string; readonly alerts: readonly AlertView[] };

/** What is wrong now: since when, for how many callers, and whether somebody looks into it. */
export function OpenAlerts({ tenant, alerts }: Props) {
  const more = alerts.length - SHOWN;
  return (
    <>
      {alerts.slice(0, SHOWN).map((alert) => (
        <li key={alert.id} className="flex flex-wrap items-start gap-x-3 gap-y-1 px-3 py-2 text-sm">
          <span className="w-24 shrink-0">
            <AlertStatus alert={alert} />
          </span>
          <span className="flex min-w-0 flex-1 basis-72 flex-col gap-0.5">
            <Link
              href={`/${tenant}/alerts?alert=${alert.id}`}
              className="min-h-6 font-semibold underline-offset-2 wrap-anywhere hover:underline"
            >
              {alert.reason}
            </Link>
            <span className="flex flex-wrap items-center gap-x-3 gap-y-0.5 text-xs text-muted">
              <span>
                since <Time iso={alert.since} show="both" />
              </span>
              {alert.callersHit === null ? null : (
                <span>{formatPlural(alert.callersHit, "caller", "callers")} hit</span>
              )}
              <Acknowledged by={alert.acknowledged} />
            </span>
          </span>
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <AlertLeads tenant={tenant} alert={alert} look="link" />
            {alert.acknowledged === null ? <AcknowledgeButton tenant={tenant} alert={alert} size="sm" /> : null}
          </span>
        </li>
      ))}
      {more > 0 ? (
        <li className="px-3 py-2 text-sm">
          <Link href={`/${tenant}/alerts`} className="text-accent-text underline underline-offset-2">
            {formatPlural(more, "more open alert", "more open alerts")}
          </Link>
        </li>
      ) : null}
    </>
  );
}
