import { queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import { getJson, sendJson } from "@/lib/client/api";
import type { CreateProfileInput, changeProfileInput, ProfileList, ProfileView } from "@/lib/profiles/schemas";

export const profileKeys = { list: (tenant: string) => [tenant, "profiles"] as const };

export const profilesQuery = (tenant: string) =>
  queryOptions({
    queryKey: profileKeys.list(tenant),
    queryFn: ({ signal }) => getJson<ProfileList>("/api/v1/profiles", tenant, signal),
  });

export const createProfile = (tenant: string, input: CreateProfileInput) =>
  sendJson<ProfileView>("POST", "/api/v1/profiles", tenant, input);

export const changeProfile = (tenant: string, input: z.input<typeof changeProfileInput>) =>
  sendJson<ProfileView>("PATCH", `/api/v1/profiles/${input.id}`, tenant, input);

export const deleteProfile = (tenant: string, id: string, reason: string) =>
  sendJson<unknown>("DELETE", `/api/v1/profiles/${id}`, tenant, { id, reason });
