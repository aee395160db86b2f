import { queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import { getJson, getList, itemsOf, sendJson } from "@/lib/client/api";
import type { Page } from "@/lib/core/wire";
import type {
  actOnCircuitInput,
  changeServerInput,
  ParsedServer,
  probeServerInput,
  RegisterServerInput,
  reviewDefinitionInput,
  ServerDetail,
  ServerProbe,
  ServerView,
  TriedCall,
  tryToolInput,
} from "@/lib/servers/schemas";

export const serverKeys = {
  all: (tenant: string) => [tenant, "servers"] as const,
  list: (tenant: string) => [tenant, "servers", "list"] as const,
  detail: (tenant: string, id: string) => [tenant, "servers", "detail", id] as const,
};

export const serversQuery = (tenant: string) =>
  queryOptions({
    queryKey: serverKeys.list(tenant),
    queryFn: ({ signal }) => getList<ServerView>("/api/v1/servers", tenant, signal),
  });

export const serverQuery = (tenant: string, id: string) =>
  queryOptions({
    queryKey: serverKeys.detail(tenant, id),
    queryFn: ({ signal }) => getJson<ServerDetail>(`/api/v1/servers/${encodeURIComponent(id)}`, tenant, signal),
  });

/** What a pasted URL, command line or `mcpServers` JSON means. */
export const parseServers = async (tenant: string, text: string): Promise<readonly ParsedServer[]> =>
  itemsOf(
    await sendJson<Page<ParsedServer> | readonly ParsedServer[]>("POST", "/api/v1/servers/parse", tenant, { text }),
  );

export const probeServer = (tenant: string, input: z.input<typeof probeServerInput>) =>
  sendJson<ServerProbe>("POST", "/api/v1/servers/probe", tenant, input);

export const registerServer = (tenant: string, input: RegisterServerInput) =>
  sendJson<ServerDetail>("POST", "/api/v1/servers", tenant, input);

export const changeServer = (tenant: string, input: z.input<typeof changeServerInput>) =>
  sendJson<ServerDetail>("PATCH", `/api/v1/servers/${input.id}`, tenant, input);

/** enable, disable, or refresh: probe again and update its tools. */
export const actOnServer = (tenant: string, id: string, act: "enable" | "disable" | "refresh", reason?: string) =>
  sendJson<ServerDetail>("POST", `/api/v1/servers/${id}/${act}`, tenant, { id, ...(reason ? { reason } : {}) });

/** The answer to a definition that waits for review. */
export const reviewDefinition = (
  tenant: string,
  verdict: "accept" | "reject",
  input: z.input<typeof reviewDefinitionInput>,
) => sendJson<ServerDetail>("POST", `/api/v1/servers/${input.id}/definitions/${verdict}`, tenant, input);

export const retireServer = (tenant: string, id: string, reason?: string) =>
  sendJson<unknown>("DELETE", `/api/v1/servers/${id}`, tenant, { id, ...(reason ? { reason } : {}) });

/** Trips, closes, disables or resets the circuit. */
export const actOnCircuit = (tenant: string, input: z.input<typeof actOnCircuitInput>) =>
  sendJson<ServerDetail>("POST", `/api/v1/servers/${input.id}/circuit`, tenant, input);

/** One real, recorded call as oneself. */
export const tryTool = (tenant: string, input: z.input<typeof tryToolInput>) =>
  sendJson<TriedCall>("POST", `/api/v1/servers/${input.id}/try`, tenant, input);
