import { dehydrate, HydrationBoundary } from "@tanstack/react-query";
import type { Metadata } from "next";
import type { SearchParams } from "nuqs/server";
import { Suspense } from "react";
import { loadFigureParams, windowOf } from "@/components/figures/figure-params";
import { OverviewPage } from "@/components/overview/overview-page";
import { perform } from "@/lib/audit/perform";
import { pageContext } from "@/lib/auth/request-context";
import { healthQuery, overviewQuery } from "@/lib/client/metrics";
import { makeQueryClient } from "@/lib/client/query-client";
import { serversQuery } from "@/lib/client/servers";
import { covers } from "@/lib/core/permission";
import { readHealth } from "@/lib/metrics/read-health";
import { readOverview } from "@/lib/metrics/read-overview";
import { listServers } from "@/lib/servers/read";

export const metadata: Metadata = { title: "Overview" };

type Props = { readonly params: Promise<{ tenant: string }>; readonly searchParams: Promise<SearchParams> };

export default async function Page({ params, searchParams }: Props) {
  const { tenant } = await params;
  const window = windowOf(await loadFigureParams(searchParams));
  const { ctx, me } = await pageContext(tenant);
  const client = makeQueryClient();
  // What fails here is asked again by the browser, which then shows why.
  await Promise.allSettled([
    client.query({
      ...overviewQuery(tenant, window),
      queryFn: () => perform(readOverview, ctx, typeof window === "string" ? { range: window } : window),
      retry: false,
    }),
    client.query({ ...healthQuery(tenant), queryFn: () => perform(readHealth, ctx, {}), retry: false }),
    covers(new Set(me.permissions), "servers:read")
      ? client.query({ ...serversQuery(tenant), queryFn: () => perform(listServers, ctx, {}), retry: false })
      : null,
  ]);
  return (
    <HydrationBoundary state={dehydrate(client)}>
      <Suspense>
        <OverviewPage tenant={tenant} />
      </Suspense>
    </HydrationBoundary>
  );
}
