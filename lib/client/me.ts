import { queryOptions } from "@tanstack/react-query";
import { getJson } from "@/lib/client/api";
import type { MeView } from "@/lib/tenants/schemas";

export const meKeys = { all: ["me"] as const, of: (tenant: string | null) => ["me", tenant] as const };

/** Who is signed in and what they may do in `tenant`. */
export const meQuery = (tenant: string | null) =>
  queryOptions({
    queryKey: meKeys.of(tenant),
    queryFn: ({ signal }) => getJson<MeView>("/api/v1/me", tenant, signal),
    staleTime: 60_000,
  });
