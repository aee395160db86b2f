import { queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import { getList, sendJson } from "@/lib/client/api";
import type { CreateTenantInput, changeTenantInput, TenantView } from "@/lib/tenants/schemas";

export const tenantKeys = { all: ["tenants"] as const, list: () => ["tenants", "list"] as const };

/** Every tenant of the installation; platform admins only. */
export const tenantsQuery = () =>
  queryOptions({
    queryKey: tenantKeys.list(),
    queryFn: ({ signal }) => getList<TenantView>("/api/v1/tenants", null, signal),
  });

export const createTenant = (input: CreateTenantInput) => sendJson<TenantView>("POST", "/api/v1/tenants", null, input);

/** By a platform admin, or by the tenant's own admin when `tenant` names it. */
export const changeTenant = (input: z.input<typeof changeTenantInput>, tenant: string | null = null) =>
  sendJson<TenantView>("PATCH", `/api/v1/tenants/${input.id}`, tenant, input);
