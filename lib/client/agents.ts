import { queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import type {
  AgentDetail,
  AgentView,
  CreateAgentInput,
  changeAgentInput,
  FirstCallView,
  MintedAgentKey,
  mintAgentKeyInput,
} from "@/lib/agents/schemas";
import { getJson, getList, sendJson } from "@/lib/client/api";

export const agentKeys = {
  all: (tenant: string) => [tenant, "agents"] as const,
  list: (tenant: string) => [tenant, "agents", "list"] as const,
  detail: (tenant: string, id: string) => [tenant, "agents", "detail", id] as const,
  firstCall: (tenant: string, id: string) => [tenant, "agents", "first-call", id] as const,
};

export const agentsQuery = (tenant: string) =>
  queryOptions({
    queryKey: agentKeys.list(tenant),
    queryFn: ({ signal }) => getList<AgentView>("/api/v1/agents", tenant, signal),
  });

export const agentQuery = (tenant: string, id: string) =>
  queryOptions({
    queryKey: agentKeys.detail(tenant, id),
    queryFn: ({ signal }) => getJson<AgentDetail>(`/api/v1/agents/${encodeURIComponent(id)}`, tenant, signal),
  });

/** The latest call of an agent; asked again and again by whoever waits for one. */
export const firstCallQuery = (tenant: string, id: string) =>
  queryOptions({
    queryKey: agentKeys.firstCall(tenant, id),
    queryFn: ({ signal }) =>
      getJson<FirstCallView>(`/api/v1/agents/${encodeURIComponent(id)}/first-call`, tenant, signal),
    staleTime: 0,
  });

export const createAgent = (tenant: string, input: CreateAgentInput) =>
  sendJson<AgentDetail>("POST", "/api/v1/agents", tenant, input);

export const changeAgent = (tenant: string, input: z.input<typeof changeAgentInput>) =>
  sendJson<AgentDetail>("PATCH", `/api/v1/agents/${input.id}`, tenant, input);

/** The answer holds the secret: the only time it is shown. */
export const mintAgentKey = (tenant: string, input: z.input<typeof mintAgentKeyInput>) =>
  sendJson<MintedAgentKey>("POST", `/api/v1/agents/${input.id}/keys`, tenant, input);

export const revokeAgentKey = (tenant: string, id: string, keyId: string) =>
  sendJson<unknown>("DELETE", `/api/v1/agents/${id}/keys/${keyId}`, tenant, { id, keyId });
