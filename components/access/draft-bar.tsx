"use client";
import { Button } from "@/components/ui/button";
import { formatPlural } from "@/components/ui/format";
import type { PermissionMapView } from "@/lib/access/schemas";
import { type AccessDraft, draftSize } from "./access-draft";

/** Stays in sight while something is staged. */
export function DraftBar({
  draft,
  newer,
  onDiscard,
  onReview,
}: {
  readonly draft: AccessDraft;
  readonly newer: PermissionMapView | null;
  readonly onDiscard: () => void;
  readonly onReview: () => void;
}) {
  if (draftSize(draft) === 0) return null;
  const mappings = Object.keys(draft.map).length;
  const grants = Object.keys(draft.grants).length;
  const parts = [
    mappings > 0 ? formatPlural(mappings, "mapping", "mappings") : "",
    grants > 0 ? formatPlural(grants, "grant", "grants") : "",
  ].filter(Boolean);
  return (
    <section
      aria-label="Staged changes"
      className="sticky bottom-3 z-30 flex flex-wrap items-center gap-3 rounded-md border border-accent bg-raised px-4 py-2 text-sm shadow-lg"
    >
      <p className="mr-auto" aria-live="polite">
        <span className="font-medium">{parts.join(" and ")} staged.</span>{" "}
        {newer ? (
          <span className="text-warn">
            Meanwhile {newer.changedBy} saved version {newer.version}.
          </span>
        ) : (
          <span className="text-muted">Nothing is in force until you save.</span>
        )}
      </p>
      <Button variant="ghost" onClick={onDiscard}>
        Discard
      </Button>
      <Button variant="primary" onClick={onReview}>
        Review and save
      </Button>
    </section>
  );
}
