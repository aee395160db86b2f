import { queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import { getList, sendJson } from "@/lib/client/api";
import type {
  ApiTokenView,
  ChangedMember,
  changeMemberInput,
  changeRoleInput,
  createRoleInput,
  InvitationView,
  inviteMemberInput,
  MemberView,
  MintedApiToken,
  mintApiTokenInput,
  RoleView,
} from "@/lib/members/schemas";

export const memberKeys = {
  all: (tenant: string) => [tenant, "members"] as const,
  list: (tenant: string) => [tenant, "members", "list"] as const,
  invitations: (tenant: string) => [tenant, "members", "invitations"] as const,
  roles: (tenant: string) => [tenant, "members", "roles"] as const,
  apiTokens: (tenant: string) => [tenant, "members", "api-tokens"] as const,
};

export const membersQuery = (tenant: string) =>
  queryOptions({
    queryKey: memberKeys.list(tenant),
    queryFn: ({ signal }) => getList<MemberView>("/api/v1/members", tenant, signal),
  });

export const invitationsQuery = (tenant: string) =>
  queryOptions({
    queryKey: memberKeys.invitations(tenant),
    queryFn: ({ signal }) => getList<InvitationView>("/api/v1/invitations", tenant, signal),
  });

export const rolesQuery = (tenant: string) =>
  queryOptions({
    queryKey: memberKeys.roles(tenant),
    queryFn: ({ signal }) => getList<RoleView>("/api/v1/roles", tenant, signal),
  });

export const apiTokensQuery = (tenant: string) =>
  queryOptions({
    queryKey: memberKeys.apiTokens(tenant),
    queryFn: ({ signal }) => getList<ApiTokenView>("/api/v1/api-tokens", tenant, signal),
  });

export const inviteMember = (tenant: string, input: z.input<typeof inviteMemberInput>) =>
  sendJson<InvitationView>("POST", "/api/v1/invitations", tenant, input);

export const revokeInvitation = (tenant: string, id: string) =>
  sendJson<unknown>("DELETE", `/api/v1/invitations/${id}`, tenant, { id });

export const changeMember = (tenant: string, input: z.input<typeof changeMemberInput>) =>
  sendJson<ChangedMember>("PATCH", `/api/v1/members/${input.id}`, tenant, input);

export const createRole = (tenant: string, input: z.input<typeof createRoleInput>) =>
  sendJson<RoleView>("POST", "/api/v1/roles", tenant, input);

export const changeRole = (tenant: string, input: z.input<typeof changeRoleInput>) =>
  sendJson<RoleView>("PATCH", `/api/v1/roles/${input.slug}`, tenant, input);

export const deleteRole = (tenant: string, slug: string) =>
  sendJson<unknown>("DELETE", `/api/v1/roles/${slug}`, tenant, { slug });

/** The answer holds the secret: the only time it is shown. */
export const mintApiToken = (tenant: string, input: z.input<typeof mintApiTokenInput>) =>
  sendJson<MintedApiToken>("POST", "/api/v1/api-tokens", tenant, input);

export const revokeApiToken = (tenant: string, id: string) =>
  sendJson<unknown>("DELETE", `/api/v1/api-tokens/${id}`, tenant, { id });
