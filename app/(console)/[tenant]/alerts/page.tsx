import type { Metadata } from "next";
import type { SearchParams } from "nuqs/server";
import { Guarded } from "@/app/(console)/guarded";
import { loadAlertParams } from "@/components/alerts/alert-params";
import { AlertsPage } from "@/components/alerts/alerts-page";
import { getAlert, listAlertRules, listAlerts } from "@/lib/alerts/read";
import { perform } from "@/lib/audit/perform";
import { alertQuery, alertRulesQuery, alertsQuery } from "@/lib/client/alerts";

export const metadata: Metadata = { title: "Alerts" };

type Props = { readonly params: Promise<{ tenant: string }>; readonly searchParams: Promise<SearchParams> };

export default async function Page({ params, searchParams }: Props) {
  const { tenant } = await params;
  const { tab, server, alert } = await loadAlertParams(searchParams);
  return (
    <Guarded
      tenant={tenant}
      what="Alerts"
      needs="alerts:read"
      load={(client, ctx) => [
        tab === "open" || tab === "all"
          ? client.infiniteQuery({
              ...alertsQuery(tenant, { state: tab, server }),
              queryFn: () => perform(listAlerts, ctx, { state: tab, ...(server === null ? {} : { server }) }),
              retry: false,
            })
          : client.query({
              ...alertRulesQuery(tenant),
              queryFn: () => perform(listAlertRules, ctx, {}),
              retry: false,
            }),
        ...(alert === null
          ? []
          : [
              client.query({
                ...alertQuery(tenant, alert),
                queryFn: () => perform(getAlert, ctx, { id: alert }),
                retry: false,
              }),
            ]),
      ]}
    >
      <AlertsPage tenant={tenant} />
    </Guarded>
  );
}
