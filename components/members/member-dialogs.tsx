"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";
import { changeMember, memberKeys, rolesQuery } from "@/lib/client/members";
import type { MemberView } from "@/lib/members/schemas";
import { RolesDialog } from "./roles-dialog";
import { SuspendDialog } from "./suspend-dialog";

export type MemberAct = { readonly member: MemberView; readonly what: "roles" | "suspend" | "resume" };
type Change = { readonly roles?: string[]; readonly status?: MemberView["status"]; readonly reason?: string };

/** What can be done to a member, each asking first. */
export function MemberDialogs({
  tenant,
  act,
  onClose,
}: {
  readonly tenant: string;
  readonly act: MemberAct;
  readonly onClose: () => void;
}) {
  const { member, what } = act;
  const client = useQueryClient();
  const roles = useQuery({ ...rolesQuery(tenant), enabled: what === "roles" });
  const change = useMutation({
    mutationFn: (input: Change) => changeMember(tenant, { id: member.id, ...input }),
    onSuccess: async (saved) => {
      toast.success(what === "roles" ? `Roles of ${saved.name} saved.` : `${saved.name} is ${saved.status}.`);
      await client.invalidateQueries({ queryKey: memberKeys.all(tenant) });
      onClose();
    },
  });
  const error = change.error ? problemText(change.error) : null;
  if (what === "roles")
    return roles.data ? (
      <RolesDialog
        title={`Roles of ${member.name}`}
        roles={roles.data}
        held={member.roles}
        pending={change.isPending}
        error={error}
        onSave={(next, reason) => change.mutate({ roles: [...next], ...(reason ? { reason } : {}) })}
        onClose={onClose}
      />
    ) : null;
  if (what === "suspend") return <SuspendDialog tenant={tenant} member={member} onClose={onClose} />;
  return (
    <ReasonDialog
      title={`Resume ${member.name}`}
      description="They can sign in again with the roles they had. Agents of theirs that are suspended stay so."
      action="Resume member"
      pending={change.isPending}
      error={error}
      onConfirm={(reason) => change.mutate({ status: "active", reason })}
      onClose={onClose}
    />
  );
}
