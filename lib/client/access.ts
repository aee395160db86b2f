import { queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import type {
  AccessMatrix,
  ChangePermissionMapInput,
  changeRoleGrantsInput,
  DecisionTrace,
  explainInput,
  PermissionMapVersionView,
  PermissionMapView,
} from "@/lib/access/schemas";
import { getJson, getList, sendJson } from "@/lib/client/api";

export type ExplainQuestion = z.input<typeof explainInput>;

export const accessKeys = {
  all: (tenant: string) => [tenant, "access"] as const,
  map: (tenant: string) => [tenant, "access", "map"] as const,
  versions: (tenant: string) => [tenant, "access", "versions"] as const,
  version: (tenant: string, version: number) => [tenant, "access", "versions", version] as const,
  matrix: (tenant: string) => [tenant, "access", "matrix"] as const,
  explain: (tenant: string, question: ExplainQuestion) => [tenant, "access", "explain", question] as const,
};

export const permissionMapQuery = (tenant: string) =>
  queryOptions({
    queryKey: accessKeys.map(tenant),
    queryFn: ({ signal }) => getJson<PermissionMapView>("/api/v1/access/map", tenant, signal),
  });

export const permissionMapVersionsQuery = (tenant: string) =>
  queryOptions({
    queryKey: accessKeys.versions(tenant),
    queryFn: ({ signal }) => getList<PermissionMapVersionView>("/api/v1/access/map/versions", tenant, signal),
  });

/** An earlier version, or the one in force by its number. A version never changes. */
export const permissionMapVersionQuery = (tenant: string, version: number) =>
  queryOptions({
    queryKey: accessKeys.version(tenant, version),
    queryFn: ({ signal }) => getJson<PermissionMapView>(`/api/v1/access/map?version=${version}`, tenant, signal),
  });

export const accessMatrixQuery = (tenant: string) =>
  queryOptions({
    queryKey: accessKeys.matrix(tenant),
    queryFn: ({ signal }) => getJson<AccessMatrix>("/api/v1/access/matrix", tenant, signal),
  });

/** The same decision the door would take, with its trace. */
export const explainQuery = (tenant: string, question: ExplainQuestion) =>
  queryOptions({
    queryKey: accessKeys.explain(tenant, question),
    queryFn: () => sendJson<DecisionTrace>("POST", "/api/v1/policy/explain", tenant, question),
    staleTime: 0,
  });

export const changePermissionMap = (tenant: string, input: ChangePermissionMapInput) =>
  sendJson<PermissionMapView>("PUT", "/api/v1/access/map", tenant, input);

export const changeRoleGrants = (tenant: string, input: z.input<typeof changeRoleGrantsInput>) =>
  sendJson<AccessMatrix>("PUT", "/api/v1/access/grants", tenant, input);
