"use client";
import { useQuery } from "@tanstack/react-query";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { useState } from "react";
import { useMay } from "@/components/shell/me-context";
import { ErrorState } from "@/components/ui/error-state";
import { PageHeader } from "@/components/ui/page-header";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Tabs } from "@/components/ui/tabs";
import { accessMatrixQuery, permissionMapQuery } from "@/lib/client/access";
import { DraftBar } from "./draft-bar";
import { ExplainTab } from "./explain-tab";
import { MapTab } from "./map-tab";
import { MatrixTab } from "./matrix-tab";
import { ProfilesTab } from "./profiles-tab";
import { ReviewDialog } from "./review-dialog";
import { RolesTab } from "./roles-tab";
import { useAccessDraft } from "./use-access-draft";
import { VersionsTab } from "./versions-tab";

const TABS = ["matrix", "map", "roles", "profiles", "explain", "versions"] as const;

/** Who may call what: seen, changed as a draft, explained, and taken back. */
export function AccessPage({ tenant }: { readonly tenant: string }) {
  const mayWrite = useMay("access:write");
  const [tab, setTab] = useQueryState("tab", parseAsStringLiteral(TABS).withDefault("matrix"));
  const map = useQuery(permissionMapQuery(tenant));
  const matrix = useQuery(accessMatrixQuery(tenant));
  const drafting = useAccessDraft(tenant, map.data && matrix.data ? { map: map.data, matrix: matrix.data } : null);
  const [reviewing, setReviewing] = useState(false);
  const error = map.error ?? matrix.error;
  const { base, draft } = drafting;

  if (error) return <ErrorState error={error} onRetry={() => Promise.all([map.refetch(), matrix.refetch()])} />;
  if (!map.data || base === null) return <SkeletonRows rows={12} label="Loading access" />;
  const editing = { draft, onDraft: drafting.stage, canEdit: mayWrite };
  return (
    <div className="flex flex-col gap-4">
      <PageHeader
        title="Access"
        purpose={`Which permission each tool needs and which roles hold it. Version ${map.data.version} is in force.`}
      />
      <Tabs
        label="Access"
        value={tab}
        onValueChange={(next) => setTab(TABS.find((known) => known === next) ?? null)}
        items={[
          {
            value: "matrix",
            label: "Matrix",
            content: <MatrixTab tenant={tenant} matrix={base.matrix} {...editing} />,
          },
          { value: "map", label: "Map", content: <MapTab tenant={tenant} map={base.map} {...editing} /> },
          { value: "roles", label: "Roles", content: <RolesTab tenant={tenant} map={map.data} /> },
          { value: "profiles", label: "Profiles", content: <ProfilesTab tenant={tenant} /> },
          { value: "explain", label: "Explain", content: <ExplainTab tenant={tenant} map={map.data} /> },
          { value: "versions", label: "Versions", content: <VersionsTab tenant={tenant} current={map.data.version} /> },
        ]}
      />
      <DraftBar draft={draft} newer={drafting.newer} onDiscard={drafting.discard} onReview={() => setReviewing(true)} />
      <ReviewDialog tenant={tenant} open={reviewing} onOpenChange={setReviewing} drafting={drafting} base={base} />
    </div>
  );
}
