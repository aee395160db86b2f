import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type {
  AlertDetailView,
  AlertRuleView,
  AlertView,
  ChangeAlertRuleInput,
  CreateAlertRuleInput,
  ListAlertsInput,
} from "@/lib/alerts/schemas";
import { getJson, getList, queryString, sendJson } from "@/lib/client/api";
import type { Page } from "@/lib/core/wire";

export const alertKeys = {
  all: (tenant: string) => [tenant, "alerts"] as const,
  open: (tenant: string) => [tenant, "alerts", "open"] as const,
  list: (tenant: string, filter: AlertFilter) => [tenant, "alerts", "list", filter] as const,
  detail: (tenant: string, id: string) => [tenant, "alerts", "detail", id] as const,
  rules: (tenant: string) => [tenant, "alerts", "rules"] as const,
};

export type AlertFilter = { readonly state: "open" | "all"; readonly server: string | null };

/** Alerts are looked at while they come and go; what was known last stays on the screen meanwhile. */
const LIVE = { refetchInterval: 5_000, staleTime: 2_000, placeholderData: keepPreviousData } as const;

/** More open alerts than anybody reads at once: the rest are counted by nobody. */
export const OPEN_ALERTS_SHOWN = 200 satisfies ListAlertsInput["limit"];

/** What is wrong now, worst first: for the overview and the number beside the page's name. */
export const openAlertsQuery = (tenant: string) =>
  queryOptions({
    queryKey: alertKeys.open(tenant),
    queryFn: ({ signal }) =>
      getJson<Page<AlertView>>(`/api/v1/alerts?state=open&limit=${OPEN_ALERTS_SHOWN}`, tenant, signal),
    ...LIVE,
  });

/** Open ones first, then the newest that are over. */
export const alertsQuery = (tenant: string, filter: AlertFilter) =>
  infiniteQueryOptions({
    queryKey: alertKeys.list(tenant, filter),
    queryFn: ({ pageParam, signal }) =>
      getJson<Page<AlertView>>(`/api/v1/alerts${queryString({ ...filter, cursor: pageParam })}`, tenant, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Page<AlertView>) => page.nextCursor,
    ...LIVE,
  });

export const alertQuery = (tenant: string, id: string) =>
  queryOptions({
    queryKey: alertKeys.detail(tenant, id),
    queryFn: ({ signal }) => getJson<AlertDetailView>(`/api/v1/alerts/${encodeURIComponent(id)}`, tenant, signal),
    refetchInterval: 5_000,
    staleTime: 2_000,
  });

export const alertRulesQuery = (tenant: string) =>
  queryOptions({
    queryKey: alertKeys.rules(tenant),
    queryFn: ({ signal }) => getList<AlertRuleView>("/api/v1/alert-rules", tenant, signal),
  });

/** Says that one looks into it; said again, it adds a note. */
export const acknowledgeAlert = (tenant: string, id: string, note: string) =>
  sendJson<AlertDetailView>("POST", `/api/v1/alerts/${id}/acknowledge`, tenant, { id, ...(note ? { note } : {}) });

export const createAlertRule = (tenant: string, input: CreateAlertRuleInput) =>
  sendJson<AlertRuleView>("POST", "/api/v1/alert-rules", tenant, input);

export const changeAlertRule = (tenant: string, input: ChangeAlertRuleInput) =>
  sendJson<AlertRuleView>("PATCH", `/api/v1/alert-rules/${input.id}`, tenant, input);

export const deleteAlertRule = (tenant: string, id: string) =>
  sendJson<unknown>("DELETE", `/api/v1/alert-rules/${id}`, tenant, { id });
