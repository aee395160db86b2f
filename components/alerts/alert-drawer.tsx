"use client";
import { useQuery } from "@tanstack/react-query";
import { AcknowledgeButton } from "@/components/alerts/acknowledge-button";
import { AlertHistory } from "@/components/alerts/alert-history";
import { AlertLeads } from "@/components/alerts/alert-leads";
import { Acknowledged, AlertStatus } from "@/components/alerts/alert-status";
import { formatMetric, METRIC_WORDS, subjectOf } from "@/components/alerts/alert-words";
import { CopyButton } from "@/components/ui/copy-button";
import { Drawer } from "@/components/ui/drawer";
import { ErrorState } from "@/components/ui/error-state";
import { Facts } from "@/components/ui/facts";
import { formatCount } from "@/components/ui/format";
import { Section } from "@/components/ui/section";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Time } from "@/components/ui/time";
import type { AlertDetailView, AlertView } from "@/lib/alerts/schemas";
import { alertQuery } from "@/lib/client/alerts";

type Props = {
  readonly tenant: string;
  readonly id: string;
  /** What the list already knows of it. */
  readonly known: AlertView | undefined;
  readonly onClose: () => void;
};

function figuresOf({ metric, value, worst, threshold, calls }: AlertView) {
  if (metric === null) return [];
  const fires = metric === "availability" ? "fires below" : "fires above";
  return [
    {
      name: METRIC_WORDS[metric],
      value: `${formatMetric(metric, value)} last, ${formatMetric(metric, worst)} at worst`,
    },
    { name: "Limit", value: `${fires} ${formatMetric(metric, threshold)}` },
    { name: "Calls looked at", value: calls === null ? "–" : formatCount(calls) },
  ];
}

function factsOf(alert: AlertView) {
  return [
    { name: "State", value: <AlertStatus alert={alert} /> },
    { name: "Rule", value: alert.ruleName },
    { name: "Where", value: <code className="font-mono text-xs">{subjectOf(alert)}</code> },
    { name: "Since", value: <Time iso={alert.since} show="both" /> },
    ...(alert.resolvedAt === null ? [] : [{ name: "Over", value: <Time iso={alert.resolvedAt} show="both" /> }]),
    ...figuresOf(alert),
    { name: "Callers hit", value: alert.callersHit === null ? "not counted" : formatCount(alert.callersHit) },
    { name: "Acknowledged", value: <Acknowledged by={alert.acknowledged} /> },
  ];
}

function Detail({ alert }: { readonly alert: AlertDetailView }) {
  return (
    <div className="flex flex-col gap-6">
      <Facts facts={factsOf(alert)} />
      <Section title="History">
        <AlertHistory history={alert.history} />
      </Section>
    </div>
  );
}

/** One alert, at the right of the list it was found in. */
export function AlertDrawer({ tenant, id, known, onClose }: Props) {
  const { data, error, refetch } = useQuery(alertQuery(tenant, id));
  const alert = data ?? known;
  return (
    <Drawer
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={alert?.reason ?? (error === null ? "Alert" : "This alert could not be opened")}
      footer={
        alert ? (
          <>
            <AcknowledgeButton tenant={tenant} alert={alert} />
            <AlertLeads tenant={tenant} alert={alert} look="button" />
            <CopyButton withText label="Copy link" value={() => window.location.href} />
          </>
        ) : undefined
      }
    >
      {data ? <Detail alert={data} /> : null}
      {data === undefined && error === null ? <SkeletonRows label="Loading the alert" /> : null}
      {error === null ? null : <ErrorState error={error} onRetry={refetch} />}
    </Drawer>
  );
}
