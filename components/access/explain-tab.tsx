"use client";
import { skipToken, useQuery } from "@tanstack/react-query";
import { parseAsArrayOf, parseAsString, useQueryStates } from "nuqs";
import { Combobox } from "@/components/ui/combobox";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { PermissionMapView } from "@/lib/access/schemas";
import { type ExplainQuestion, explainQuery } from "@/lib/client/access";
import { agentsQuery } from "@/lib/client/agents";
import { rolesQuery } from "@/lib/client/members";
import { splitToolKey, toolKey } from "./access-draft";
import { DecisionTraceView } from "./decision-trace";

/** Asks decide() without calling anything. The question lives in the URL, so it can be sent to a colleague. */
export function ExplainTab({ tenant, map }: { readonly tenant: string; readonly map: PermissionMapView }) {
  const agents = useQuery(agentsQuery(tenant));
  const roles = useQuery(rolesQuery(tenant));
  const [asked, ask] = useQueryStates({
    agent: parseAsString.withDefault(""),
    as: parseAsArrayOf(parseAsString).withDefault([]),
    tool: parseAsString.withDefault(""),
  });
  const question = questionOf(asked);
  const answer = useQuery({
    ...explainQuery(tenant, question ?? { server: "", tool: "" }),
    ...(question === null ? { queryFn: skipToken } : {}),
  });
  return (
    <div className="flex flex-col gap-4">
      <div className="grid max-w-4xl gap-4 sm:grid-cols-3">
        <Field label="Agent" hint="Or choose roles instead.">
          <Combobox
            label="Agent"
            placeholder="Choose an agent"
            options={(agents.data ?? []).map((agent) => ({ value: agent.slug, label: agent.name, hint: agent.slug }))}
            values={asked.agent ? [asked.agent] : []}
            onValuesChange={([agent]) => ask({ agent: agent ?? null, as: null })}
          />
        </Field>
        <Field label="Roles" hint="What somebody with only these could do.">
          <Combobox
            label="Roles"
            placeholder="Choose roles"
            multiple
            options={(roles.data ?? []).map((role) => ({ value: role.slug, label: role.name }))}
            values={asked.as}
            onValuesChange={(slugs) => ask({ as: slugs.length === 0 ? null : [...slugs], agent: null })}
          />
        </Field>
        <Field label="Tool">
          <Combobox
            label="Tool"
            placeholder="Choose a tool"
            options={map.tools.map((tool) => {
              const key = toolKey(tool.server, tool.tool);
              return { value: key, label: key, hint: tool.permission ?? "unmapped" };
            })}
            values={asked.tool ? [asked.tool] : []}
            onValuesChange={([tool]) => ask({ tool: tool ?? null })}
          />
        </Field>
      </div>
      {question === null ? (
        <EmptyState
          title="The decision, step by step"
          why="Choose an agent or roles, and a tool. Nothing is called; the gateway only says how it would decide, and why."
        />
      ) : answer.error ? (
        <ErrorState title="No decision could be explained" error={answer.error} onRetry={answer.refetch} />
      ) : answer.data ? (
        <DecisionTraceView trace={answer.data} />
      ) : (
        <SkeletonRows rows={6} label="Asking" />
      )}
    </div>
  );
}

type Asked = { readonly agent: string; readonly as: readonly string[]; readonly tool: string };

function questionOf({ agent, as, tool }: Asked): ExplainQuestion | null {
  if (!tool.includes("/")) return null;
  if (agent !== "") return { agent, ...splitToolKey(tool) };
  return as.length > 0 ? { roles: [...as], ...splitToolKey(tool) } : null;
}
