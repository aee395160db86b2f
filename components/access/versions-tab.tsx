"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Id } from "@/components/ui/id";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { Time } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { accessKeys, permissionMapVersionsQuery } from "@/lib/client/access";
import { agentKeys } from "@/lib/client/agents";
import { problemText } from "@/lib/client/form-issues";
import { revertPermissionMap } from "@/lib/client/revert-permission-map";

/** Who changed the map, when and why, and the way back. */
export function VersionsTab({ tenant, current }: { readonly tenant: string; readonly current: number }) {
  const versions = useQuery(permissionMapVersionsQuery(tenant));
  const mayWrite = useMay("access:write");
  const [target, setTarget] = useState<number | null>(null);
  if (versions.error) return <ErrorState error={versions.error} onRetry={versions.refetch} />;
  if (!versions.data) return <SkeletonRows label="Loading versions" />;
  if (versions.data.length === 0)
    return (
      <EmptyState
        title="No versions yet"
        why="Each saved change of the map becomes a version with its author and reason."
      />
    );
  return (
    <>
      <Table aria-label="Versions of the permission map">
        <Thead>
          <tr>
            <Th>Version</Th>
            <Th>Reason</Th>
            <Th>By</Th>
            <Th>When</Th>
            <Th numeric>Mapped tools</Th>
            <Th>Digest</Th>
            <Th>
              <span className="sr-only">Actions</span>
            </Th>
          </tr>
        </Thead>
        <Tbody>
          {versions.data.map((version) => (
            <Tr key={version.version}>
              <Td primary className="tabular-nums">
                <span className="font-medium">{version.version}</span>{" "}
                {version.version === current ? <Badge tone="ok">in force</Badge> : null}
              </Td>
              <Td className="max-w-md whitespace-normal">{version.reason}</Td>
              <Td label="by">{version.changedBy}</Td>
              <Td>
                <Time iso={version.createdAt} />
              </Td>
              <Td numeric label="mapped">
                {version.toolCount}
              </Td>
              <Td hideNarrow>
                <Id value={version.sha256} label="digest" />
              </Td>
              <Td className="text-right">
                {mayWrite && version.version !== current ? (
                  <Button
                    size="sm"
                    onClick={() => setTarget(version.version)}
                    aria-label={`Revert to version ${version.version}`}
                  >
                    Revert
                  </Button>
                ) : null}
              </Td>
            </Tr>
          ))}
        </Tbody>
      </Table>
      {target === null ? null : (
        <RevertDialog tenant={tenant} current={current} target={target} onClose={() => setTarget(null)} />
      )}
    </>
  );
}

function RevertDialog({
  tenant,
  current,
  target,
  onClose,
}: {
  readonly tenant: string;
  readonly current: number;
  readonly target: number;
  readonly onClose: () => void;
}) {
  const client = useQueryClient();
  const revert = useMutation({
    mutationFn: (reason: string) => revertPermissionMap(tenant, { version: target, baseVersion: current, reason }),
    onSuccess: async () => {
      toast.success(`Version ${current + 1} says again what version ${target} said.`);
      await Promise.all([
        client.invalidateQueries({ queryKey: accessKeys.all(tenant) }),
        client.invalidateQueries({ queryKey: agentKeys.all(tenant) }),
      ]);
      onClose();
    },
  });
  return (
    <ReasonDialog
      title={`Revert to version ${target}`}
      description={`What version ${target} said becomes version ${current + 1} and is in force at once. Roles and grants stay as they are.`}
      action="Revert"
      pending={revert.isPending}
      error={revert.error ? problemText(revert.error) : null}
      onConfirm={(reason) => revert.mutate(reason)}
      onClose={onClose}
    />
  );
}
