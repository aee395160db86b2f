import { queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import { getJson, sendJson } from "@/lib/client/api";
import type {
  changeAgentLimitInput,
  changeRetryPolicyInput,
  changeTenantLimitsInput,
  changeToolCacheInput,
  ServerHandlingView,
  TenantLimitsView,
} from "@/lib/limits/schemas";

export const limitKeys = {
  all: (tenant: string) => [tenant, "limits"] as const,
  handling: (tenant: string, serverId: string) => [tenant, "handling", serverId] as const,
};

export const limitsQuery = (tenant: string) =>
  queryOptions({
    queryKey: limitKeys.all(tenant),
    queryFn: ({ signal }) => getJson<TenantLimitsView>("/api/v1/limits", tenant, signal),
  });

export const handlingQuery = (tenant: string, serverId: string) =>
  queryOptions({
    queryKey: limitKeys.handling(tenant, serverId),
    queryFn: ({ signal }) => getJson<ServerHandlingView>(`/api/v1/servers/${serverId}/handling`, tenant, signal),
  });

export const changeTenantLimits = (tenant: string, input: z.input<typeof changeTenantLimitsInput>) =>
  sendJson<TenantLimitsView>("PUT", "/api/v1/limits", tenant, input);

export const changeAgentLimit = (tenant: string, input: z.input<typeof changeAgentLimitInput>) =>
  sendJson<TenantLimitsView>("PUT", `/api/v1/agents/${input.id}/limit`, tenant, input);

export const changeRetryPolicy = (tenant: string, input: z.input<typeof changeRetryPolicyInput>) =>
  sendJson<ServerHandlingView>("PUT", `/api/v1/servers/${input.id}/retry-policy`, tenant, input);

export const changeToolCache = (tenant: string, input: z.input<typeof changeToolCacheInput>) =>
  sendJson<ServerHandlingView>("PUT", `/api/v1/servers/${input.id}/tool-cache`, tenant, input);
