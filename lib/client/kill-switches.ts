import { queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import { getJson, sendJson } from "@/lib/client/api";
import type { KillSwitchView, throwKillSwitchInput } from "@/lib/kill-switches/schemas";

export const killSwitchKeys = { all: (tenant: string) => [tenant, "kill-switches"] as const };

/** What is stopped, and what was. Looked at again now and then: others throw switches too. */
export const killSwitchesQuery = (tenant: string) =>
  queryOptions({
    queryKey: killSwitchKeys.all(tenant),
    queryFn: ({ signal }) => getJson<readonly KillSwitchView[]>("/api/v1/kill-switches", tenant, signal),
    refetchInterval: 15_000,
  });

export const throwKillSwitch = (tenant: string, input: z.input<typeof throwKillSwitchInput>) =>
  sendJson<KillSwitchView>("POST", "/api/v1/kill-switches", tenant, input);

export const liftKillSwitch = (tenant: string, id: string, reason: string) =>
  sendJson<KillSwitchView>("DELETE", `/api/v1/kill-switches/${id}`, tenant, { id, ...(reason ? { reason } : {}) });
