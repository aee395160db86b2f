"use client";
import { useQuery } from "@tanstack/react-query";
import { ErrorState } from "@/components/ui/error-state";
import { formatPlural } from "@/components/ui/format";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { PermissionMapVersionView } from "@/lib/access/schemas";
import { permissionMapVersionQuery } from "@/lib/client/access";
import { MapDiffList } from "./draft-diff";
import { unknownMappings, versionDiff } from "./version-diff";

type Props = {
  readonly tenant: string;
  readonly from: number;
  readonly to: number;
  readonly versions: readonly PermissionMapVersionView[];
};

/** What one version of the map says otherwise than another, tool by tool. */
export function VersionChanges({ tenant, from, to, versions }: Props) {
  const before = useQuery(permissionMapVersionQuery(tenant, from));
  const after = useQuery(permissionMapVersionQuery(tenant, to));
  const error = before.error ?? after.error;
  if (error) return <ErrorState error={error} onRetry={() => Promise.all([before.refetch(), after.refetch()])} />;
  if (!before.data || !after.data) return <SkeletonRows rows={4} label="Loading both versions" />;
  const changes = versionDiff(before.data, after.data);
  const stored = (version: number) => versions.find((each) => each.version === version)?.toolCount ?? 0;
  const unknown = Math.max(unknownMappings(before.data, stored(from)), unknownMappings(after.data, stored(to)));
  return (
    <div className="flex flex-col gap-3 text-sm">
      {changes.length > 0 ? <MapDiffList map={changes} /> : <p>No tool that is known now is mapped otherwise.</p>}
      {unknown > 0 ? (
        <p className="text-muted">
          {formatPlural(unknown, "mapping", "mappings")} of tools that are not known any more, not compared here.
        </p>
      ) : null}
    </div>
  );
}
