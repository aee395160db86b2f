import {
  type InfiniteData,
  infiniteQueryOptions,
  keepPreviousData,
  type QueryClient,
  queryOptions,
} from "@tanstack/react-query";
import type { EntryDetail, EntryView, SearchEntriesInput, VerifyReport } from "@/lib/audit/schemas";
import { getJson, queryString, sendJson } from "@/lib/client/api";
import type { Page } from "@/lib/core/wire";

/** What is looked for; paging is the query's own matter. */
export type EntryFilter = Omit<SearchEntriesInput, "cursor" | "limit">;

export const ENTRIES_PER_PAGE = 100;

export const auditKeys = {
  all: (tenant: string) => [tenant, "audit"] as const,
  entries: (tenant: string, filter: EntryFilter) => [tenant, "audit", "entries", filter] as const,
  entry: (tenant: string, id: string) => [tenant, "audit", "entry", id] as const,
};

/** Reading the trail is itself recorded, so nothing here is asked again unless a person asks. */
const ONCE = { staleTime: Number.POSITIVE_INFINITY, refetchOnWindowFocus: false, refetchOnReconnect: false } as const;

/** Newest first; the next page is older. */
export const entriesQuery = (tenant: string, filter: EntryFilter) =>
  infiniteQueryOptions({
    queryKey: auditKeys.entries(tenant, filter),
    queryFn: ({ pageParam, signal }) =>
      getJson<Page<EntryView>>(
        `/api/v1/audit/entries${queryString({ ...filter, limit: ENTRIES_PER_PAGE, cursor: pageParam })}`,
        tenant,
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Page<EntryView>) => page.nextCursor,
    placeholderData: keepPreviousData,
    ...ONCE,
  });

export const entryQuery = (tenant: string, id: string) =>
  queryOptions({
    queryKey: auditKeys.entry(tenant, id),
    queryFn: ({ signal }) => getJson<EntryDetail>(`/api/v1/audit/entries/${encodeURIComponent(id)}`, tenant, signal),
    ...ONCE,
  });

/** The sentence of an entry that some list has already brought, so that opening it shows no blank. */
export function knownSentence(client: QueryClient, tenant: string, id: string): string | null {
  const lists = client.getQueriesData<InfiniteData<Page<EntryView>>>({ queryKey: [tenant, "audit", "entries"] });
  for (const [, list] of lists) {
    const entry = list?.pages.flatMap((page) => page.items).find((item) => item.id === id);
    if (entry !== undefined) return entry.sentence;
  }
  return null;
}

/** Walks the whole chain of the tenant. */
export const verifyChain = (tenant: string) => sendJson<VerifyReport>("POST", "/api/v1/audit/verify", tenant, {});

/** Where the browser downloads the JSONL of a filter. A link cannot send a header, so the tenant is in the address. */
export const exportAddress = (tenant: string, filter: EntryFilter): string =>
  `/api/v1/audit/export${queryString({ ...filter, tenant })}`;
