import { dehydrate, HydrationBoundary } from "@tanstack/react-query";
import type { Metadata } from "next";
import type { SearchParams } from "nuqs/server";
import { Suspense } from "react";
import { OverviewPage } from "@/components/overview/overview-page";
import { loadOverviewParams } from "@/components/overview/overview-params";
import { perform } from "@/lib/audit/perform";
import { pageContext } from "@/lib/auth/request-context";
import { overviewQuery } from "@/lib/client/metrics";
import { makeQueryClient } from "@/lib/client/query-client";
import { serversQuery } from "@/lib/client/servers";
import { covers } from "@/lib/core/permission";
import { readOverview } from "@/lib/metrics/read-overview";
import { listServers } from "@/lib/servers/read";

export const metadata: Metadata = { title: "Overview" };

type Props = { readonly params: Promise<{ tenant: string }>; readonly searchParams: Promise<SearchParams> };

export default async function Page({ params, searchParams }: Props) {
  const { tenant } = await params;
  const { range } = await loadOverviewParams(searchParams);
  const { ctx, me } = await pageContext(tenant);
  const client = makeQueryClient();
  // What fails here is asked again by the browser, which then shows why.
  await Promise.allSettled([
    client.query({
      ...overviewQuery(tenant, range),
      queryFn: () => perform(readOverview, ctx, { range }),
      retry: false,
    }),
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
