"use client";
import { RegisterLink } from "@/components/servers/register-link";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";

type Props = { readonly tenant: string; readonly hasTools: boolean; readonly onClear: () => void };

/** In place of a list of tools that has nothing to show: nothing fits the filter, or there is none. */
export function NoTools({ tenant, hasTools, onClear }: Props) {
  if (hasTools)
    return (
      <EmptyState
        title="No tool matches"
        why="Nothing fits this filter."
        action={<Button onClick={onClear}>Clear the filter</Button>}
      />
    );
  return (
    <EmptyState
      title="No tools yet"
      why="Tools appear here once a server is registered."
      action={<RegisterLink tenant={tenant} />}
    />
  );
}
