"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { z } from "zod";
import { useMay } from "@/components/shell/me-context";
import { ErrorState } from "@/components/ui/error-state";
import { formatCount } from "@/components/ui/format";
import { Note } from "@/components/ui/note";
import { Section } from "@/components/ui/section";
import { SkeletonRows } from "@/components/ui/skeleton";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";
import { changeTenantLimits, limitKeys, limitsQuery } from "@/lib/client/limits";
import type { changeTenantLimitsInput } from "@/lib/limits/schemas";
import { LimitForm } from "./limit-form";

/** Calls per second of the tenant and of its agents. */
export function TenantLimits({ tenant }: { readonly tenant: string }) {
  const query = useQuery(limitsQuery(tenant));
  const client = useQueryClient();
  const mayWrite = useMay("tenant:write");
  const save = useMutation({
    mutationFn: (input: z.input<typeof changeTenantLimitsInput>) => changeTenantLimits(tenant, input),
    onSuccess: async () => {
      toast.success("Limit saved. It holds within seconds.");
      await client.invalidateQueries({ queryKey: limitKeys.all(tenant) });
    },
  });
  if (query.error) return <ErrorState error={query.error} onRetry={query.refetch} />;
  const limits = query.data;
  if (!limits) return <SkeletonRows label="Loading the limits" />;
  const failed = (field: "perSecond" | "agentPerSecond") =>
    save.error && save.variables[field] !== undefined ? problemText(save.error) : null;
  return (
    <div className="flex flex-col gap-8">
      {mayWrite ? null : <Note>Changing limits needs the permission tenant:write.</Note>}
      <Section title="This tenant" note="All calls of its agents and people together. Admins are no exception.">
        <LimitForm
          key={`tenant ${limits.perSecond}`}
          label="Calls per second"
          hint={`Empty: the operator's ${formatCount(limits.operator.tenant)}, which is also the most.`}
          value={limits.perSecond}
          mayWrite={mayWrite}
          pending={save.isPending}
          error={failed("perSecond")}
          onSave={(perSecond, reason) => save.mutate({ perSecond, reason })}
        />
      </Section>
      <Section
        title="Each agent"
        note="Of every agent that has no limit of its own; those are set on the agent's page."
      >
        <LimitForm
          key={`agents ${limits.agentPerSecond}`}
          label="Calls per second"
          hint={`Empty: the operator's ${formatCount(limits.operator.agent)}.`}
          value={limits.agentPerSecond}
          mayWrite={mayWrite}
          pending={save.isPending}
          error={failed("agentPerSecond")}
          onSave={(agentPerSecond, reason) => save.mutate({ agentPerSecond, reason })}
        />
      </Section>
    </div>
  );
}
