"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Lock, Plus } from "lucide-react";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { ErrorState } from "@/components/ui/error-state";
import { FormError } from "@/components/ui/form-error";
import { formatPlural } from "@/components/ui/format";
import { Section } from "@/components/ui/section";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import type { PermissionMapView } from "@/lib/access/schemas";
import { accessKeys } from "@/lib/client/access";
import { problemText } from "@/lib/client/form-issues";
import { deleteRole, memberKeys, rolesQuery } from "@/lib/client/members";
import type { RoleView } from "@/lib/members/schemas";
import { knownPermissions } from "./console-permissions";
import { RoleDialog } from "./role-dialog";

/** Built-in roles to read, custom roles to shape. */
export function RolesTab({ tenant, map }: { readonly tenant: string; readonly map: PermissionMapView }) {
  const roles = useQuery(rolesQuery(tenant));
  const mayWrite = useMay("access:write");
  const [editing, setEditing] = useState<RoleView | "new" | null>(null);
  const [deleting, setDeleting] = useState<RoleView | null>(null);
  if (roles.error) return <ErrorState error={roles.error} onRetry={roles.refetch} />;
  if (!roles.data) return <SkeletonRows label="Loading roles" />;
  const sorted = [...roles.data].sort((a, b) => Number(a.builtIn) - Number(b.builtIn) || a.name.localeCompare(b.name));
  return (
    <Section
      title="Roles"
      note="Built-in roles are the same in every tenant and cannot be changed. Custom roles are yours."
      actions={
        mayWrite ? (
          <Button variant="primary" onClick={() => setEditing("new")}>
            <Plus aria-hidden />
            Create role
          </Button>
        ) : null
      }
    >
      <Table aria-label="Roles">
        <Thead>
          <tr>
            <Th>Role</Th>
            <Th>Permissions</Th>
            <Th numeric>Members</Th>
            <Th numeric>Agents</Th>
            <Th>
              <span className="sr-only">Actions</span>
            </Th>
          </tr>
        </Thead>
        <Tbody>
          {sorted.map((role) => (
            <RoleRow
              key={role.id}
              role={role}
              canEdit={mayWrite}
              onEdit={() => setEditing(role)}
              onDelete={() => setDeleting(role)}
            />
          ))}
        </Tbody>
      </Table>
      {editing ? (
        <RoleDialog
          tenant={tenant}
          edited={editing === "new" ? null : editing}
          known={knownPermissions(map.tools.map((tool) => tool.permission))}
          onClose={() => setEditing(null)}
        />
      ) : null}
      {deleting ? <DeleteRole tenant={tenant} role={deleting} onClose={() => setDeleting(null)} /> : null}
    </Section>
  );
}

const CHIPS = 6;

function RoleRow(props: {
  readonly role: RoleView;
  readonly canEdit: boolean;
  readonly onEdit: () => void;
  readonly onDelete: () => void;
}) {
  const { role } = props;
  const rest = role.permissions.length - CHIPS;
  return (
    <Tr>
      <Td primary>
        <span className="flex items-center gap-2">
          <span className="font-medium">{role.name}</span>
          {role.builtIn ? <Badge glyph={<Lock aria-hidden />}>built-in</Badge> : null}
        </span>
        <span className="block text-xs text-muted">
          <code className="font-mono">{role.slug}</code>
          {role.description ? ` · ${role.description}` : ""}
        </span>
      </Td>
      <Td className="whitespace-normal">
        <span className="flex flex-wrap gap-1 py-1" title={role.permissions.join(", ")}>
          {role.permissions.slice(0, CHIPS).map((permission) => (
            <Badge key={permission} className="font-mono">
              {permission}
            </Badge>
          ))}
          {rest > 0 ? <span className="text-xs text-muted">and {rest} more</span> : null}
          {role.permissions.length === 0 ? <span className="text-xs text-muted">none yet</span> : null}
        </span>
      </Td>
      <Td numeric label="members">
        {role.memberCount}
      </Td>
      <Td numeric label="agents">
        {role.agentCount}
      </Td>
      <Td className="text-right">
        {props.canEdit && !role.builtIn ? (
          <span className="inline-flex gap-1">
            <Button size="sm" onClick={props.onEdit} aria-label={`Edit ${role.name}`}>
              Edit
            </Button>
            <Button size="sm" variant="ghost" onClick={props.onDelete} aria-label={`Delete ${role.name}`}>
              Delete
            </Button>
          </span>
        ) : null}
      </Td>
    </Tr>
  );
}

function DeleteRole({
  tenant,
  role,
  onClose,
}: {
  readonly tenant: string;
  readonly role: RoleView;
  readonly onClose: () => void;
}) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteRole(tenant, role.slug),
    onSuccess: async () => {
      toast.success(`Role ${role.name} deleted.`);
      await Promise.all([
        client.invalidateQueries({ queryKey: memberKeys.all(tenant) }),
        client.invalidateQueries({ queryKey: accessKeys.all(tenant) }),
      ]);
      onClose();
    },
  });
  const holders = role.memberCount + role.agentCount;
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Delete ${role.name}`}
      description={
        holders > 0
          ? `${formatPlural(role.memberCount, "member", "members")} and ${formatPlural(role.agentCount, "agent", "agents")} hold it. Take it from them first.`
          : "Nobody holds it. The deletion is recorded and cannot be undone."
      }
      action="Delete role"
      danger
      disabled={holders > 0}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <FormError>{remove.error ? problemText(remove.error) : null}</FormError>
    </ConfirmDialog>
  );
}
