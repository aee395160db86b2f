"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { formatCount } from "@/components/ui/format";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { Section } from "@/components/ui/section";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { toast } from "@/components/ui/toast";
import { problemText } from "@/lib/client/form-issues";
import { deleteProfile, profileKeys, profilesQuery } from "@/lib/client/profiles";
import type { CatalogCost, ProfileView } from "@/lib/profiles/schemas";
import { ProfileDialog } from "./profile-dialog";

const wholeCost = ({ toolCount, estimatedTokens }: CatalogCost): string =>
  toolCount === 0
    ? "The joint door lists no tool yet."
    : `The joint door lists ${formatCount(toolCount)} tools to one who may call all: about ${formatCount(estimatedTokens)} tokens, estimated as bytes / 4.`;

/** Parts of the catalog with doors of their own, and what reading each costs. */
export function ProfilesTab({ tenant }: { readonly tenant: string }) {
  const mayWrite = useMay("access:write");
  const profiles = useQuery(profilesQuery(tenant));
  const [editing, setEditing] = useState<ProfileView | "new" | null>(null);
  const [deleting, setDeleting] = useState<ProfileView | null>(null);
  if (profiles.error) return <ErrorState error={profiles.error} onRetry={profiles.refetch} />;
  if (!profiles.data) return <SkeletonRows label="Loading profiles" />;
  const { items, everything } = profiles.data;
  const create = mayWrite ? (
    <Button onClick={() => setEditing("new")}>
      <Plus aria-hidden />
      Create profile
    </Button>
  ) : null;
  return (
    <Section
      title="Profiles"
      note={`${wholeCost(everything)} A profile lists a part, or lets the agent search.`}
      actions={create}
    >
      {items.length === 0 ? (
        <EmptyState title="No profiles yet" why="Every agent reads the whole list of tools that it may call." />
      ) : (
        <Table aria-label="Profiles">
          <Thead>
            <tr>
              <Th>Profile</Th>
              <Th>Door</Th>
              <Th>Lists</Th>
              <Th numeric>Tools</Th>
              <Th numeric>Tokens (estimate)</Th>
              <Th>
                <span className="sr-only">Actions</span>
              </Th>
            </tr>
          </Thead>
          <Tbody>
            {items.map((profile) => (
              <ProfileRow
                key={profile.id}
                profile={profile}
                canEdit={mayWrite}
                onEdit={() => setEditing(profile)}
                onDelete={() => setDeleting(profile)}
              />
            ))}
          </Tbody>
        </Table>
      )}
      {editing ? (
        <ProfileDialog tenant={tenant} edited={editing === "new" ? null : editing} onClose={() => setEditing(null)} />
      ) : null}
      {deleting ? <DeleteProfile tenant={tenant} profile={deleting} onClose={() => setDeleting(null)} /> : null}
    </Section>
  );
}

type RowProps = {
  readonly profile: ProfileView;
  readonly canEdit: boolean;
  readonly onEdit: () => void;
  readonly onDelete: () => void;
};

function ProfileRow({ profile, canEdit, onEdit, onDelete }: RowProps) {
  const { cost, listCost, longNames } = profile;
  return (
    <Tr>
      <Td primary>
        <span className="flex flex-wrap items-center gap-x-2">
          <span className="font-medium">{profile.name}</span>
          {longNames.length > 0 ? (
            <Badge
              tone="warn"
              glyph={<TriangleAlert aria-hidden />}
              title={`Longer than 64 characters, which some clients refuse: ${longNames.join(", ")}`}
            >
              {longNames.length} long {longNames.length === 1 ? "name" : "names"}
            </Badge>
          ) : null}
        </span>
        {profile.description ? <span className="block text-xs text-muted">{profile.description}</span> : null}
      </Td>
      <Td>
        <span className="inline-flex items-center gap-1">
          <code className="font-mono text-xs">{profile.door}</code>
          <CopyButton
            value={() => `${window.location.origin}${profile.door}`}
            label={`Copy the address of ${profile.name}`}
          />
        </span>
      </Td>
      <Td>{profile.mode === "search" ? "search_tools, call_tool" : "every tool"}</Td>
      <Td numeric label="tools">
        {profile.toolCount}
      </Td>
      <Td numeric label="tokens">
        {formatCount(cost.estimatedTokens)}
        {profile.mode === "search" ? (
          <span className="text-xs text-muted"> instead of {formatCount(listCost.estimatedTokens)}</span>
        ) : null}
      </Td>
      <Td className="text-right">
        {canEdit ? (
          <span className="inline-flex gap-1">
            <Button size="sm" onClick={onEdit} aria-label={`Edit ${profile.name}`}>
              Edit
            </Button>
            <Button size="sm" variant="ghost" onClick={onDelete} aria-label={`Delete ${profile.name}`}>
              Delete
            </Button>
          </span>
        ) : null}
      </Td>
    </Tr>
  );
}

type DeleteProps = { readonly tenant: string; readonly profile: ProfileView; readonly onClose: () => void };

function DeleteProfile({ tenant, profile, onClose }: DeleteProps) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: (reason: string) => deleteProfile(tenant, profile.id, reason),
    onSuccess: async () => {
      toast.success(`Profile ${profile.name} deleted.`);
      onClose();
      await client.invalidateQueries({ queryKey: profileKeys.list(tenant) });
    },
  });
  return (
    <ReasonDialog
      title={`Delete ${profile.name}`}
      description="Its door closes at once. Agents that use it are refused until they are given another address."
      action="Delete profile"
      danger
      pending={remove.isPending}
      error={remove.error ? problemText(remove.error) : null}
      onConfirm={(reason) => remove.mutate(reason)}
      onClose={onClose}
    />
  );
}
