"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Checkbox } from "@/components/ui/checkbox";
import { Label } from "@/components/ui/label";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { toast } from "@/components/ui/toast";
import type { AgentView } from "@/lib/agents/schemas";
import { agentKeys, agentsQuery } from "@/lib/client/agents";
import { problemText } from "@/lib/client/form-issues";
import { changeMember, memberKeys } from "@/lib/client/members";
import type { MemberView } from "@/lib/members/schemas";

type Props = { readonly tenant: string; readonly member: MemberView; readonly onClose: () => void };

/** Shuts a member out, and the agents they leave behind where that is wanted. */
export function SuspendDialog({ tenant, member, onClose }: Props) {
  const client = useQueryClient();
  const maySee = useMay("agents:read");
  const mayStop = [useMay("agents:write"), useMay("access:write")].every(Boolean);
  const [wanted, setWanted] = useState(true);
  const agents = useQuery({ ...agentsQuery(tenant), staleTime: 0, enabled: maySee });
  const owned = agents.data?.filter(({ owner, status }) => owner.memberId === member.id && status === "active");
  const suspendAgents = wanted && mayStop && owned !== undefined && owned.length > 0;
  const suspend = useMutation({
    mutationFn: (reason: string) => changeMember(tenant, { id: member.id, status: "suspended", suspendAgents, reason }),
    onSuccess: async ({ name, suspendedAgents: { length } }) => {
      const agentsToo = length === 0 ? "" : length === 1 ? ", and one agent" : `, and ${length} agents`;
      toast.success(`${name} is suspended${agentsToo}.`);
      await client.invalidateQueries({ queryKey: memberKeys.all(tenant) });
      await client.invalidateQueries({ queryKey: agentKeys.all(tenant) });
      onClose();
    },
  });
  return (
    <ReasonDialog
      title={`Suspend ${member.name}`}
      description="They and their API tokens have no access to this tenant from their next request on."
      action="Suspend member"
      danger
      disabled={agents.isLoading}
      pending={suspend.isPending}
      error={suspend.error ? problemText(suspend.error) : null}
      onConfirm={(reason) => suspend.mutate(reason)}
      onClose={onClose}
    >
      {owned ? (
        <OwnedAgents tenant={tenant} agents={owned} mayStop={mayStop} stop={wanted} onStopChange={setWanted} />
      ) : (
        <p className="text-sm">
          {agents.isLoading
            ? "Looking for agents they own."
            : `Agents they own keep working, and ${maySee ? "could not be read" : "cannot be shown without agents:read"}.`}
        </p>
      )}
    </ReasonDialog>
  );
}

export type OwnedAgentsProps = {
  readonly tenant: string;
  /** The active ones. */
  readonly agents: readonly Pick<AgentView, "id" | "name">[];
  readonly mayStop: boolean;
  readonly stop: boolean;
  readonly onStopChange: (stop: boolean) => void;
};

/** What a leaver's agents are, and whether they go as well. */
export function OwnedAgents({ tenant, agents, mayStop, stop, onStopChange }: OwnedAgentsProps) {
  if (agents.length === 0) return <p className="text-sm">They own no active agents.</p>;
  return (
    <div className="flex flex-col gap-2 text-sm">
      <p>{agents.length === 1 ? "They own an active agent:" : `They own ${agents.length} active agents:`}</p>
      <ul aria-label="Active agents" className="max-h-40 list-disc overflow-y-auto pl-5">
        {agents.map(({ id, name }) => (
          <li key={id}>
            <Link href={`/${tenant}/agents/${id}`} className="text-accent-text underline-offset-2 hover:underline">
              {name}
            </Link>
          </li>
        ))}
      </ul>
      {mayStop ? (
        <Label className="flex items-start gap-2 font-normal">
          <Checkbox checked={stop} onCheckedChange={(on) => onStopChange(on === true)} />
          <span className="pt-0.5">
            Suspend {agents.length === 1 ? "it" : "them"} as well.{" "}
            {stop ? "Resuming the member does not resume them." : "Otherwise they keep working."}
          </span>
        </Label>
      ) : (
        <p className="text-muted">They keep working. Suspending them as well needs agents:write and access:write.</p>
      )}
    </div>
  );
}
