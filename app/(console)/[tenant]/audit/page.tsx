import { dehydrate, HydrationBoundary } from "@tanstack/react-query";
import type { Metadata } from "next";
import type { SearchParams } from "nuqs/server";
import { Suspense } from "react";
import { AuditPage } from "@/components/audit/audit-page";
import { filterOf, loadAuditParams } from "@/components/audit/audit-params";
import { getEntry } from "@/lib/audit/get-entry";
import { perform } from "@/lib/audit/perform";
import { searchEntries } from "@/lib/audit/search-entries";
import { pageContext } from "@/lib/auth/request-context";
import { ENTRIES_PER_PAGE, entriesQuery, entryQuery } from "@/lib/client/audit";
import { makeQueryClient } from "@/lib/client/query-client";

export const metadata: Metadata = { title: "Audit trail" };

type Props = { readonly params: Promise<{ tenant: string }>; readonly searchParams: Promise<SearchParams> };

export default async function Page({ params, searchParams }: Props) {
  const { tenant } = await params;
  const asked = await loadAuditParams(searchParams);
  const { ctx } = await pageContext(tenant);
  const client = makeQueryClient();
  const filter = filterOf(asked);
  const { entry } = asked;
  // What fails here is asked again by the browser, which then shows why.
  await Promise.allSettled([
    client.infiniteQuery({
      ...entriesQuery(tenant, filter),
      queryFn: () => perform(searchEntries, ctx, { ...filter, limit: ENTRIES_PER_PAGE }),
      retry: false,
    }),
    entry === null
      ? null
      : client.query({
          ...entryQuery(tenant, entry),
          queryFn: () => perform(getEntry, ctx, { id: entry }),
          retry: false,
        }),
  ]);
  return (
    <HydrationBoundary state={dehydrate(client)}>
      <Suspense>
        <AuditPage tenant={tenant} />
      </Suspense>
    </HydrationBoundary>
  );
}
