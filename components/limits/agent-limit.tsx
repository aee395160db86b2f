"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMay } from "@/components/shell/me-context";
import { formatCount } from "@/components/ui/format";
import { Section } from "@/components/ui/section";
import { toast } from "@/components/ui/toast";
import type { AgentDetail } from "@/lib/agents/schemas";
import { problemText } from "@/lib/client/form-issues";
import { changeAgentLimit, limitKeys, limitsQuery } from "@/lib/client/limits";
import { LimitForm } from "./limit-form";

/** Calls per second of one agent. */
export function AgentLimit({ tenant, agent }: { readonly tenant: string; readonly agent: AgentDetail }) {
  const mayRead = useMay("tenant:read");
  const mayWrite = useMay("agents:write");
  const { data: limits } = useQuery({ ...limitsQuery(tenant), enabled: mayRead });
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: ({ perSecond, reason }: { perSecond: number | null; reason: string }) =>
      changeAgentLimit(tenant, { id: agent.id, perSecond, reason }),
    onSuccess: async () => {
      toast.success("Limit saved. It holds within seconds.");
      await client.invalidateQueries({ queryKey: limitKeys.all(tenant) });
    },
  });
  if (!limits) return null;
  const own = limits.agents[agent.slug] ?? null;
  const usual = limits.agentPerSecond ?? limits.operator.agent;
  return (
    <Section title="Limit" note="What is above it is refused with the time to wait.">
      <LimitForm
        key={String(own)}
        label="Calls per second"
        hint={`Empty: ${formatCount(usual)}, as for every agent.`}
        value={own}
        mayWrite={mayWrite}
        pending={save.isPending}
        error={save.error ? problemText(save.error) : null}
        onSave={(perSecond, reason) => save.mutate({ perSecond, reason })}
      />
    </Section>
  );
}
