"use client";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { AccessMatrix, PermissionMapView } from "@/lib/access/schemas";
import { accessMatrixQuery, permissionMapQuery } from "@/lib/client/access";
import { type AccessDraft, draftSize, EMPTY_DRAFT, type Rebased, rebase } from "./access-draft";

type Base = { readonly map: PermissionMapView; readonly matrix: AccessMatrix };
type Drafted = Rebased & { readonly base: Base };

const NOTHING_NEW = { collisions: [], redefined: [] } as const;

/**
 * A draft and the map it was drafted on. Reading the map anew behind one's back must not move the draft onto a version
 * that nobody looked at, so the base stays until it is reloaded on purpose.
 */
export function useAccessDraft(tenant: string, inForce: Base | null) {
  const client = useQueryClient();
  const [drafted, setDrafted] = useState<Drafted | null>(null);
  const base = drafted?.base ?? inForce;

  const stage = (draft: AccessDraft) =>
    setDrafted(draftSize(draft) === 0 || base === null ? null : { ...NOTHING_NEW, ...drafted, draft, base });
  const reload = async () => {
    const [map, matrix] = await Promise.all([
      client.query({ ...permissionMapQuery(tenant), staleTime: 0 }),
      client.query({ ...accessMatrixQuery(tenant), staleTime: 0 }),
    ]);
    if (drafted === null) return;
    setDrafted({ ...rebase(drafted.draft, drafted.base.map.tools, map.tools), base: { map, matrix } });
  };
  /** The version that somebody else saved since the draft was begun. */
  const newer =
    drafted !== null && inForce !== null && inForce.map.version > drafted.base.map.version ? inForce.map : null;
  return {
    draft: drafted?.draft ?? EMPTY_DRAFT,
    ...{ collisions: drafted?.collisions ?? [], redefined: drafted?.redefined ?? [] },
    base,
    newer,
    stage,
    reload,
    discard: () => setDrafted(null),
  };
}
