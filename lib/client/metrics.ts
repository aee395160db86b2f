import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { getJson, queryString } from "@/lib/client/api";
import type { OverviewRange, OverviewView } from "@/lib/metrics/schemas";

export const metricsKeys = {
  all: (tenant: string) => [tenant, "metrics"] as const,
  overview: (tenant: string, range: OverviewRange, server: string | null) =>
    [tenant, "metrics", "overview", range, server] as const,
};

/** Asked again every 5 s; the last figures stay on the screen meanwhile. */
export const overviewQuery = (tenant: string, range: OverviewRange, server: string | null = null) =>
  queryOptions({
    queryKey: metricsKeys.overview(tenant, range, server),
    queryFn: ({ signal }) =>
      getJson<OverviewView>(`/api/v1/metrics/overview${queryString({ range, server })}`, tenant, signal),
    refetchInterval: 5000,
    staleTime: 2000,
    placeholderData: keepPreviousData,
  });
