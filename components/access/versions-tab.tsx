"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { parseAsInteger, useQueryState } from "nuqs";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Drawer } from "@/components/ui/drawer";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Id } from "@/components/ui/id";
import { ReasonDialog } from "@/components/ui/reason-dialog";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { Time } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import type { PermissionMapVersionView } from "@/lib/access/schemas";
import { accessKeys, permissionMapVersionsQuery } from "@/lib/client/access";
import { agentKeys } from "@/lib/client/agents";
import { problemText } from "@/lib/client/form-issues";
import { revertPermissionMap } from "@/lib/client/revert-permission-map";
import { VersionChanges } from "./version-changes";

/** Who changed the map, when and why, and the way back. */
export function VersionsTab({ tenant, current }: { readonly tenant: string; readonly current: number }) {
  const versions = useQuery(permissionMapVersionsQuery(tenant));
  const mayWrite = useMay("access:write");
  const [target, setTarget] = useState<number | null>(null);
  const [shown, setShown] = useQueryState("version", parseAsInteger);
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
            <Tr key={version.version} data-open={version.version === shown}>
              <Td primary className="tabular-nums">
                <Button
                  variant="link"
                  className="h-6"
                  aria-label={`What version ${version.version} changed`}
                  onClick={() => setShown(version.version)}
                >
                  {version.version}
                </Button>{" "}
                {version.version === current ? <Badge tone="ok">in force</Badge> : null}
              </Td>
              <Td className="max-w-md whitespace-normal max-sm:w-full">{version.reason}</Td>
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
      <Drawer
        open={shown !== null}
        onOpenChange={(open) => !open && setShown(null)}
        title={shown === null ? "" : shown > 1 ? `Version ${shown}, compared with ${shown - 1}` : `Version ${shown}`}
      >
        {shown === null ? null : (
          <VersionChanges tenant={tenant} from={shown - 1} to={shown} versions={versions.data} />
        )}
      </Drawer>
      {target === null ? null : (
        <RevertDialog
          tenant={tenant}
          current={current}
          target={target}
          versions={versions.data}
          onClose={() => setTarget(null)}
        />
      )}
    </>
  );
}

function RevertDialog({
  tenant,
  current,
  target,
  versions,
  onClose,
}: {
  readonly tenant: string;
  readonly current: number;
  readonly target: number;
  readonly versions: readonly PermissionMapVersionView[];
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
      description={
        <div className="flex flex-col gap-3">
          <p>
            What version {target} said becomes version {current + 1} and is in force at once. Roles and grants stay as
            they are.
          </p>
          <div className="max-h-[30vh] overflow-y-auto text-text">
            <VersionChanges tenant={tenant} from={current} to={target} versions={versions} />
          </div>
        </div>
      }
      action="Revert"
      pending={revert.isPending}
      error={revert.error ? problemText(revert.error) : null}
      onConfirm={(reason) => revert.mutate(reason)}
      onClose={onClose}
    />
  );
}
