"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { RolesDialog } from "@/components/members/roles-dialog";
import { useMay } from "@/components/shell/me-context";
import { Button } from "@/components/ui/button";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { toast } from "@/components/ui/toast";
import type { AgentDetail, AgentView } from "@/lib/agents/schemas";
import { agentKeys, changeAgent } from "@/lib/client/agents";
import { problemText } from "@/lib/client/form-issues";
import { rolesQuery } from "@/lib/client/members";

type Change = { readonly roles?: string[]; readonly status?: AgentView["status"]; readonly reason?: string };

/** Edit roles, suspend and resume. */
export function AgentActions({ tenant, agent }: { readonly tenant: string; readonly agent: AgentDetail }) {
  const mayWrite = useMay("agents:write");
  const mayGrant = useMay("access:write");
  const [asking, setAsking] = useState<"suspend" | "roles" | null>(null);
  const roles = useQuery({ ...rolesQuery(tenant), enabled: asking === "roles" });
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (what: Change) => changeAgent(tenant, { id: agent.id, ...what }),
    onSuccess: async (_, what) => {
      toast.success(what.status ? `${agent.name} is ${what.status}.` : "Roles saved.");
      setAsking(null);
      await client.invalidateQueries({ queryKey: agentKeys.all(tenant) });
    },
  });
  const close = () => {
    setAsking(null);
    change.reset();
  };
  const error = change.error ? problemText(change.error) : null;
  if (!mayWrite) return null;
  return (
    <>
      {mayGrant ? <Button onClick={() => setAsking("roles")}>Edit roles</Button> : null}
      {agent.status === "active" ? (
        <Button onClick={() => setAsking("suspend")}>Suspend</Button>
      ) : (
        <Button pending={change.isPending} onClick={() => change.mutate({ status: "active" })}>
          Resume
        </Button>
      )}
      {asking === "suspend" ? (
        <ReasonDialog
          title={`Suspend ${agent.name}`}
          description="All its keys stop within seconds. They work again when you resume it."
          action="Suspend agent"
          danger
          pending={change.isPending}
          error={error}
          onConfirm={(reason) => change.mutate({ status: "suspended", reason })}
          onClose={close}
        />
      ) : null}
      {asking === "roles" && roles.data ? (
        <RolesDialog
          title={`Roles of ${agent.name}`}
          roles={roles.data}
          held={agent.roles}
          pending={change.isPending}
          error={error}
          onSave={(next, reason) => change.mutate({ roles: [...next], ...(reason ? { reason } : {}) })}
          onClose={close}
        />
      ) : null}
    </>
  );
}
