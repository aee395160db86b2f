"use client";
import Link from "next/link";
import { useMay } from "@/components/shell/me-context";
import { Button, buttonClass } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";

type Props = { readonly tenant: string; readonly hasTools: boolean; readonly onClear: () => void };

/** In place of a list of tools that has nothing to show: nothing fits the filter, or there is none. */
export function NoTools({ tenant, hasTools, onClear }: Props) {
  const mayRegister = useMay("servers:write");
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
      action={
        mayRegister ? (
          <Link href={`/${tenant}/servers/new`} className={buttonClass({ variant: "primary" })}>
            Register a server
          </Link>
        ) : undefined
      }
    />
  );
}
