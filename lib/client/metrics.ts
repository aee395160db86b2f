import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { getJson, queryString } from "@/lib/client/api";
import type {
  CircuitsView,
  HealthView,
  MarksView,
  OverviewRange,
  OverviewView,
  PoolsView,
  SeriesView,
  StatisticsView,
} from "@/lib/metrics/schemas";

/** A range back from now, or bounds (ISO 8601; up to now without an end). A range stays one in the key: the server says what now is. */
export type MetricsWindow = OverviewRange | { readonly from: string; readonly to?: string };
type Narrowed = { readonly server?: string; readonly tool?: string; readonly caller?: string };
type StatisticsAsk = Narrowed & { readonly by: StatisticsView["by"]; readonly limit?: number };

const metricsKeys = {
  asked: (tenant: string, what: string, ask: object) => [tenant, "metrics", what, ask] as const,
};

const windowOf = (window: MetricsWindow) => (typeof window === "string" ? { range: window } : window);
const ofServer = (server: string | undefined) => (server === undefined ? {} : { server });

/** Asked again every few seconds; the last figures stay on the screen meanwhile. */
const asked = <T>(tenant: string, what: string, ask: Readonly<Record<string, string | number>>, everyMs: number) =>
  queryOptions({
    queryKey: metricsKeys.asked(tenant, what, ask),
    queryFn: ({ signal }) => getJson<T>(`/api/v1/metrics/${what}${queryString(ask)}`, tenant, signal),
    refetchInterval: everyMs,
    staleTime: 2_000,
    placeholderData: keepPreviousData,
  });

export const overviewQuery = (tenant: string, window: MetricsWindow, server?: string) =>
  asked<OverviewView>(tenant, "overview", { ...windowOf(window), ...ofServer(server) }, 5_000);
export const healthQuery = (tenant: string) => asked<HealthView>(tenant, "health", {}, 5_000);
export const statisticsQuery = (tenant: string, window: MetricsWindow, ask: StatisticsAsk) =>
  asked<StatisticsView>(tenant, "statistics", { ...windowOf(window), ...ask }, 10_000);
export const seriesQuery = (tenant: string, window: MetricsWindow, ask: Narrowed) =>
  asked<SeriesView>(tenant, "series", { ...windowOf(window), ...ask }, 10_000);
export const circuitsQuery = (tenant: string, window: MetricsWindow, server: string) =>
  asked<CircuitsView>(tenant, "circuits", { ...windowOf(window), server }, 10_000);
export const marksQuery = (tenant: string, window: MetricsWindow, server?: string) =>
  asked<MarksView>(tenant, "marks", { ...windowOf(window), ...ofServer(server) }, 30_000);
export const poolsQuery = (tenant: string, window: MetricsWindow, server: string) =>
  asked<PoolsView>(tenant, "pools", { ...windowOf(window), server }, 5_000);
