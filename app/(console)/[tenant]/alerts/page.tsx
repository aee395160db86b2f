import type { QueryClient } from "@tanstack/react-query";
import type { Metadata } from "next";
import type { inferParserType, SearchParams } from "nuqs/server";
import { Guarded } from "@/app/(console)/guarded";
import { type alertParams, loadAlertParams } from "@/components/alerts/alert-params";
import { AlertsPage } from "@/components/alerts/alerts-page";
import { getAlert, listAlertRules, listAlerts } from "@/lib/alerts/read";
import { perform } from "@/lib/audit/perform";
import { listChannels } from "@/lib/channels/read";
import { alertQuery, alertRulesQuery, alertsQuery } from "@/lib/client/alerts";
import { channelsQuery } from "@/lib/client/channels";
import type { RequestContext } from "@/lib/core/context";

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
        listOf(client, ctx, tenant, { tab, server }),
        alert === null
          ? Promise.resolve()
          : client.query({
              ...alertQuery(tenant, alert),
              queryFn: () => perform(getAlert, ctx, { id: alert }),
              retry: false,
            }),
      ]}
    >
      <AlertsPage tenant={tenant} />
    </Guarded>
  );
}

type Listed = Pick<inferParserType<typeof alertParams>, "tab" | "server">;

/** What the open tab shows first. */
function listOf(client: QueryClient, ctx: RequestContext, tenant: string, { tab, server }: Listed): Promise<unknown> {
  switch (tab) {
    case "open":
    case "all":
      return client.infiniteQuery({
        ...alertsQuery(tenant, { state: tab, server }),
        queryFn: () => perform(listAlerts, ctx, { state: tab, ...(server === null ? {} : { server }) }),
        retry: false,
      });
    case "rules":
      return client.query({
        ...alertRulesQuery(tenant),
        queryFn: () => perform(listAlertRules, ctx, {}),
        retry: false,
      });
    case "channels":
      return client.query({
        ...channelsQuery(tenant),
        queryFn: () => perform(listChannels, ctx, {}),
        retry: false,
      });
  }
}
