"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { accessKeys, changePermissionMap, changeRoleGrants } from "@/lib/client/access";
import { agentKeys } from "@/lib/client/agents";
import { memberKeys } from "@/lib/client/members";
import { serverKeys } from "@/lib/client/servers";
import type { GrantChange, MapChange } from "./access-draft";

export type AccessChange = {
  readonly baseVersion: number;
  readonly map: readonly MapChange[];
  readonly grants: readonly GrantChange[];
  readonly reason: string;
};

/** Saves mappings as version n+1, then the grants; everything that shows access is asked again. */
export function useSaveAccess(tenant: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ baseVersion, map, grants, reason }: AccessChange) => {
      if (map.length > 0) await changePermissionMap(tenant, { baseVersion, changes: [...map], reason });
      if (grants.length > 0) await changeRoleGrants(tenant, { changes: [...grants], reason });
    },
    onSettled: () =>
      Promise.all(
        [accessKeys.all(tenant), memberKeys.all(tenant), serverKeys.all(tenant), agentKeys.all(tenant)].map(
          (queryKey) => client.invalidateQueries({ queryKey }),
        ),
      ),
  });
}
